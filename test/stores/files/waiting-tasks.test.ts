// The list of waiting tasks while somebody goes through it, and on a clock that is set.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createWaitingList, type WaitingTask } from '../../../src/stores/files/index/waiting-tasks.ts'
import { at } from '../../suites/store/world.ts'

const task = (number: number, change: Partial<WaitingTask> = {}): WaitingTask => ({
  id: String(number).padStart(6, '0'),
  kind: 'test',
  priority: 5,
  suspect: false,
  createdAt: at(0),
  from: null,
  till: null,
  ...change,
})
const ids = (tasks: Iterable<WaitingTask>): string[] => [...tasks].map(({ id }) => id)

describe('the list of waiting tasks', () => {
  it('gives whoever goes through it all that still wait, once and in order, though many leave meanwhile', () => {
    const list = createWaitingList()
    const tasks = Array.from({ length: 3_000 }, (_, number) => task(number))
    for (const each of tasks) list.add(each)
    const seen: string[] = []
    for (const { id } of list.due(at(1))) {
      seen.push(id)
      // others take two of three, and each time some worker looks: the list is put in order under our hands
      if (seen.length === 10)
        for (const each of tasks)
          if (Number(each.id) % 3 !== 0) {
            list.remove(each.id)
            list.due(at(1)).next()
          }
    }
    const left = tasks.filter(({ id }) => Number(id) < 10 || Number(id) % 3 === 0)
    assert.deepEqual(seen, ids(left))
  })
})
