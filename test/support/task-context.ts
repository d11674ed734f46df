// What a kind is handed, without a worker around it.
import assert from 'node:assert/strict'
import type { TaskContext } from '../../src/core/kind.ts'

export const contextWith = (over: Partial<TaskContext>): TaskContext => ({
  id: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f',
  attempt: 1,
  signal: new AbortController().signal,
  progress() {},
  log() {},
  checkpoint() {},
  submit: async () => assert.fail('nobody takes tasks here'),
  exec: async () => assert.fail('nobody runs commands here'),
  resume: null,
  cores: () => 1,
  artifact: async () => assert.fail('nobody keeps files here'),
  upload: async () => assert.fail('nobody has uploads here'),
  get scratch(): string {
    return assert.fail('nobody has a folder here')
  },
  resultInfo() {},
  ...over,
})
