// gen/ is what the compiler makes of idl/, byte for byte.
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { requireService } from '../support/services.ts'

const root = new URL('../..', import.meta.url)

test('gen/ is fresh: the compiler makes the same of idl/ today', {
  skip: requireService('thrift'),
}, async () => {
  // fails with the difference in its text
  await promisify(execFile)('bin/generate-rpc', ['--check'], { cwd: root, timeout: 300_000 })
})
