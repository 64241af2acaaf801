import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { ActionRig } from '../support/action-rig.ts'

describe('the action, given something it cannot work with', () => {
  let rig: ActionRig
  beforeEach(async () => {
    rig = await ActionRig.create()
  })
  afterEach(() => rig.close())

  test('names every wrong input with its value in one error', async () => {
    const inputs = { push: 'yes', compression: 'brotli', check: 'never', tags: 'Not A Name', 'max-layers': '99' }
    const result = await rig.main({ inputs })
    expect(result.exitCode).toBe(1)
    expect(result.annotations).toHaveLength(1)
    expect(result.annotations[0]).toMatchObject({ level: 'error', message: expect.stringMatching(/^E_INPUT: /) })
    for (const [name, value] of Object.entries(inputs)) {
      expect(result.annotations[0]?.message).toContain(`${name}: ${JSON.stringify(value)} `)
    }
    expect(result.annotations[0]?.message).toContain('README')
    expect(result.outputs.size).toBe(0)
  })

  test('names the path where it looked for a Dockerfile', async () => {
    await rig.write('service/app.py', '')
    const result = await rig.main({ inputs: { context: 'service', tags: '127.0.0.1:1/team/app' } })
    expect(result.exitCode).toBe(1)
    expect(result.annotations).toEqual([
      {
        level: 'error',
        message: expect.stringMatching(/^E_DOCKERFILE: there is no Dockerfile at service\/Dockerfile\n/),
      },
    ])
    expect(result.summary).toContain('there is no Dockerfile at service/Dockerfile')
  })

  test('names the file and the line of a syntax error, on the annotation too', async () => {
    await rig.write('docker/app.Dockerfile', 'FROM scratch\nCOPY a /a\nRUM echo\n')
    const result = await rig.main({ inputs: { file: 'docker/app.Dockerfile' } })
    expect(result.exitCode).toBe(1)
    expect(result.annotations).toHaveLength(1)
    expect(result.annotations[0]?.message).toMatch(/^E_DOCKERFILE: .*docker\/app\.Dockerfile:3/)
    expect(result.annotations[0]?.message).toContain('RUM')
  })

  test('names a context that is not there', async () => {
    await rig.write('Dockerfile', 'FROM scratch\n')
    const result = await rig.main({ inputs: { context: 'elsewhere', file: 'Dockerfile' } })
    expect(result.exitCode).toBe(1)
    expect(result.annotations[0]?.message).toMatch(/^E_INPUT: context: "elsewhere" can't be read/)
  })

  test('leaves no temporary files behind', async () => {
    await rig.write('Dockerfile', 'FROM scratch\n')
    await rig.main({ inputs: { push: 'maybe' } })
    await rig.main({ inputs: {} })
    expect(await rig.leftovers()).toEqual([])
  })
})
