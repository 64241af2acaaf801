/** Where the tags of a repository are moved. */
export interface TagPlace {
  /** GitHub's API, `GITHUB_API_URL` of a job. */
  readonly api: string
  /** `owner/name`. */
  readonly repository: string
  readonly token: string
}

/**
 * Lets tags point to a commit, in the order given, those that aren't there yet as well.
 * @throws Error with what the API said when one can't be moved; those before it are moved
 */
export async function moveTags(tags: readonly string[], commit: string, place: TagPlace): Promise<void> {
  for (const tag of tags) {
    const moved = await send('PATCH', `git/refs/tags/${tag}`, { sha: commit, force: true }, place)
    if (moved.ok) continue
    // GitHub answers 422 for a reference that is not there.
    const made = await send('POST', 'git/refs', { ref: `refs/tags/${tag}`, sha: commit }, place)
    if (made.ok) continue
    throw new Error(`${tag} can't be moved: ${moved.status} ${await moved.text()}; ${made.status} ${await made.text()}`)
  }
}

async function send(
  method: string,
  path: string,
  body: object,
  { api, repository, token }: TagPlace,
): Promise<Response> {
  return await fetch(`${api}/repos/${repository}/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, accept: 'application/vnd.github+json' },
    body: JSON.stringify(body),
  })
}
