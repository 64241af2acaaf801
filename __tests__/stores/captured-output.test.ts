import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'

const module = JSON.stringify(join(import.meta.dirname, '../../src/stores/captured-output.ts'))

/** What a program prints in which some writes are captured; in a process of its own, to see its real output. */
async function outputOf(script: string): Promise<string> {
  const source = `
    import { setTimeout as delay } from 'node:timers/promises'
    import { captureOutput } from ${module}
    ${script}
  `
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source])
  return stdout
}

test('only what the operation prints is kept, at once or later, while other output passes', async () => {
  const printed = await outputOf(`
    const output = { text: '' }
    const work = captureOutput(output, async () => {
      console.log('kept')
      await delay(20)
      process.stdout.write(Buffer.from('kept later'), () => process.stdout.write(' and in a callback'))
    })
    console.log('passes')
    process.stdout.write('bWVhbndoaWxl', 'base64', () => console.log(' also with a callback'))
    await work
    console.log()
    console.log(JSON.stringify(output.text))
  `)
  expect(printed).toBe('passes\nmeanwhile also with a callback\n\n"kept\\nkept later and in a callback"\n')
})

test('two operations at once keep their output apart, and standard output is as before when both are over', async () => {
  const printed = await outputOf(`
    const before = process.stdout.write
    const [one, two] = [{ text: '' }, { text: '' }]
    const slow = captureOutput(one, async () => { await delay(20); console.log('one') })
    const fast = captureOutput(two, async () => { console.log('two'); throw new Error('broken') })
    const failed = await fast.catch((error) => error.message)
    await slow
    console.log(JSON.stringify([one.text, two.text, failed, process.stdout.write === before]))
  `)
  expect(JSON.parse(printed)).toEqual(['one\n', 'two\n', 'broken', true])
})
