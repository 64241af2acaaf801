import type { RepositoryName } from './reference.ts'

/** What a token must allow for reading a repository (distribution, "Docker Registry Token Scope and Access"). */
export function pullScope({ path }: RepositoryName): string {
  return `repository:${path}:pull`
}

/** Writing asks what is there first, so it reads, too. */
export function pushScope({ path }: RepositoryName): string {
  return `repository:${path}:pull,push`
}
