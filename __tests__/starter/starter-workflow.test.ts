import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { type StarterImage, starterWorkflow } from '../../src/starter/starter-workflow.ts'

const app: StarterImage = { context: '.', file: undefined, image: 'ghcr.io/org/app', registry: 'ghcr.io', label: '' }
const action = { repository: 'org/image-cache-action', version: 'v1' }

function made(images: readonly StarterImage[], platforms: readonly string[] = [], branch = 'main') {
  return Object(parse(starterWorkflow({ images, branch, platforms, action })))
}

describe('a workflow for a project', () => {
  test('of one image has the steps of one job', () => {
    const { on, permissions, jobs } = made([app])
    expect(on).toEqual({ push: { branches: ['main'] }, pull_request: null })
    expect(permissions).toEqual({ contents: 'read', packages: 'write' })
    expect(Object.keys(jobs)).toEqual(['image'])
    const [checkout, setup, login, build] = jobs.image.steps
    expect([checkout.uses, setup.uses]).toEqual(['actions/checkout@v7', 'docker/setup-buildx-action@v4'])
    expect(login.with.registry).toBe('ghcr.io')
    expect(build.uses).toBe('org/image-cache-action@v1')
    expect(build.with.tags).toContain(`ghcr.io/org/app:\${{ github.sha }}\n`)
    expect(Object.keys(build.with)).toEqual(['context', 'tags', 'push'])
  })

  test('never pushes from forks, nor logs in there', () => {
    const [, , login, build] = made([app]).jobs.image.steps
    expect(login.if).toMatch(/head\.repo\.full_name == github\.repository/)
    expect(build.with.push).toBe(login.if)
  })

  test('of several platforms calls the reusable workflow', () => {
    const { image } = made([app], ['linux/amd64', 'linux/arm64'], 'trunk').jobs
    expect(image.uses).toBe('org/image-cache-action/.github/workflows/build.yml@v1')
    expect(image.with).toMatchObject({ image: 'ghcr.io/org/app', platforms: 'linux/amd64,linux/arm64' })
    expect(image.with.tags).toContain("github.ref_name == 'trunk' && 'latest'")
  })

  test('of several images has a job for each, with a name that GitHub takes', () => {
    const api = { ...app, context: 'services/api', image: 'ghcr.io/org/app/api', label: 'api' }
    const odd = { ...app, file: 'Dockerfile.2.1', image: 'ghcr.io/org/app/2.1', label: '2.1' }
    const { jobs } = made([api, odd])
    expect(Object.keys(jobs)).toEqual(['api', '_2-1'])
    expect(jobs.api.steps.at(-1).with.context).toBe('services/api')
    expect(jobs['_2-1'].steps.at(-1).with.file).toBe('Dockerfile.2.1')
  })

  test('logs in to other registries by secrets, and needs no host for Docker Hub', () => {
    const login = (image: string, registry: string) => made([{ ...app, image, registry }]).jobs.image.steps[2].with
    expect(login('org/app', 'docker.io')).toEqual({
      username: `\${{ secrets.REGISTRY_USERNAME }}`,
      password: `\${{ secrets.REGISTRY_PASSWORD }}`,
    })
    expect(login('registry.example/app', 'registry.example').registry).toBe('registry.example')
  })
})
