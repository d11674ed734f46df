// How long startMadhava of madhava/testing takes until a whole server is there, and until it is gone. After npm run build.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { type StartMadhavaOptions, startMadhava } from '../src/testing/testing.ts'
import { spread } from './figures.ts'
import { takePlace } from './place.ts'

const { values: options } = parseArgs({
  options: { dir: { type: 'string' }, times: { type: 'string', default: '5' } },
})

const KIND = `import { defineKind, z } from 'madhava'
export default defineKind({
  summary: 'Nothing',
  params: z.strictObject({}),
  result: z.null(),
  example: {},
  run: () => null,
})
`
const folder = mkdtempSync(path.join(tmpdir(), 'madhava-kit-'))
const folderOf = (name: string): string => {
  const place = mkdtempSync(path.join(folder, 'kinds-'))
  writeFileSync(path.join(place, name), KIND)
  return place
}

const WAYS: Readonly<Record<string, StartMadhavaOptions>> = {
  'all roles, built-in kinds': {},
  'all roles, no kind': { builtInKinds: 'none' },
  'all roles, a kind in JavaScript': { builtInKinds: 'none', kinds: folderOf('nothing.mjs') },
  'all roles, a kind in TypeScript': { builtInKinds: 'none', kinds: folderOf('nothing.ts') },
  'api and worker, no kind': { builtInKinds: 'none', roles: ['api', 'worker'] },
}

try {
  console.log(takePlace(options.dir).machine)
  for (const [way, given] of Object.entries(WAYS)) {
    const [up, gone]: [number[], number[]] = [[], []]
    for (let n = 0; n <= Number(options.times); n += 1) {
      const from = performance.now()
      const madhava = await startMadhava(given)
      const ready = performance.now()
      await madhava.stop()
      // the first has everything read from the disk
      if (n === 0) continue
      up.push((ready - from) / 1000)
      gone.push((performance.now() - ready) / 1000)
    }
    console.log(`${way}: up after ${spread(up)} s, gone after ${spread(gone)} s (min / median / max)`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
