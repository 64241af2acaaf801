import { describe, expect, test } from '@jest/globals'
import { demoLines, demoRows, demoTable, ratio } from '../../tools/demo/demo-table.ts'
import { SHAPES } from '../../tools/measure/shape.ts'
import { measurement } from '../support/measurement.ts'

const plain = [
  measurement({ way: 'plain', shape: 'cold', seconds: 32.1, pulledBytes: 41.9e6, pushedBytes: 3e8, layersBuilt: 4 }),
  measurement({ way: 'plain', shape: 'unchanged', seconds: 0.39, pulledBytes: 5e3, layersReused: 4 }),
]
const ours = [
  measurement({ shape: 'unchanged', seconds: 0.13, pulledBytes: 856, layersReused: 11, skipped: true }),
  measurement({ shape: 'cold', seconds: 21.7, pulledBytes: 57e6, pushedBytes: 2e8, layersBuilt: 11 }),
  measurement({ shape: 'light', seconds: 6 }),
]

describe('the table that the demo ends with', () => {
  const rows = demoRows(SHAPES, plain, ours)

  test('pairs the builds of one shape and leaves out what only one way has', () => {
    expect(rows.map(({ title, plain, ours }) => [title, plain.seconds, ours.seconds])).toEqual([
      ['cold', 32.1, 21.7],
      ['nothing changed', 0.39, 0.13],
    ])
  })

  test('shows both ways side by side with the ratio', () => {
    expect(demoLines(rows)).toEqual([
      '                 | plain buildx build                       | image-cache build',
      '                 |   time   pulled    pushed  built/reused  |   time   pulled    pushed  built/reused  | faster',
      '-----------------+------------------------------------------+------------------------------------------+-------',
      'cold             | 32.1 s  41.9 MB  300.0 MB           4/0  | 21.7 s  57.0 MB  200.0 MB          11/0  |   1.5x',
      'nothing changed  | 0.39 s     5 kB       0 B           0/4  | 0.13 s    856 B       0 B       skipped  |   3.0x',
    ])
  })

  test('has as many cells as columns on the page', () => {
    const { header, rows: cells } = demoTable(rows)
    expect(cells.map((row) => row.length)).toEqual([header.length, header.length])
  })

  test.each([
    [32.1, 21.7, '1.5x'],
    [134, 4.4, '30x'],
    [1, 2, '0.5x'],
  ])('%d s beside %d s is a ratio of %s', (left, right, expected) => {
    expect(ratio({ seconds: left }, { seconds: right })).toBe(expected)
  })
})
