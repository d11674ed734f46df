// The kind thumbnails with what kills decoders: each ends with the work done or with a clear error, and the process
// that runs the task stays as it was.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { FACTS, FORMATS, type Format } from '../../../src/kinds/lib/thumbnails/formats.ts'
import { ThumbnailError, type ThumbnailTrouble } from '../../../src/kinds/lib/thumbnails/thumbnail-error.ts'
import { undo } from '../../support/undo.ts'
import { blackPng, chunk, given, inFormat, kind, noSharp, photo, run, sharp } from './around.ts'
import { unzip } from './unzip.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
type Test = Parameters<typeof run>[2]

/** What became of the bytes: null when there are thumbnails. Anything but a clear error fails. */
const troubleWith = async (bytes: Buffer, format: Format, test: Test): Promise<ThumbnailError | null> => {
  try {
    await run(given(bytes, format), { sizes: [[16, 16]], format: 'png' }, test)
    return null
  } catch (error) {
    assert.ok(error instanceof ThumbnailError, String(error))
    assert.notEqual(error.code, 'SHARP_MISSING')
    // readers of the record must not see our folders
    assert.doesNotMatch(error.message, /madhava-attempt|\/tmp|[\n\r]/)
    assert.ok(error.message.length < 500)
    return error
  }
}
const refuses = async (
  bytes: Buffer,
  format: Format,
  codes: readonly ThumbnailTrouble[],
  test: Test,
  what: string,
): Promise<ThumbnailError> => {
  const error = await troubleWith(bytes, format, test)
  assert.ok(error !== null && codes.includes(error.code), `${what}: ${error?.code} ${error?.message}`)
  return error
}

/** Resident bytes of this process. */
const resident = async (): Promise<number> => {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile('/proc/self/status', 'utf8')) ?? []
  return Number(kib) * 1024
}

const SVG = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>`
const PDF = `%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>`
const PPM = `P6 2 2 255\n${'x'.repeat(12)}`
/** How one row of a Radiance picture, which libvips reads too, begins. */
const HDR = '#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\nabcd'

describe('what kills decoders', { skip: noSharp(), timeout: 1_800_000 }, () => {
  it('refuses a bomb, whatever its sides, and says how large it is', async t => {
    const bomb = blackPng(30_000, 30_000)
    assert.ok(bomb.length < 200_000)
    const { message } = await refuses(bomb, 'png', ['IMAGE_TOO_LARGE'], t, 'a bomb')
    assert.match(message, /30000 x 30000 pixels, which is 900 megapixels\. At most 50 are read/)
    for (const [width, height] of [
      [7_072, 7_072],
      [0x7fff_ffff, 0x7fff_ffff],
      [2 ** 31, 1],
      [0, 5],
      [1, 50_000_001],
    ] as const)
      await refuses(
        blackPng(width, height, 1),
        'png',
        ['IMAGE_TOO_LARGE', 'IMAGE_BROKEN', 'IMAGE_TYPE'],
        t,
        `${width} x ${height}`,
      )
  })

  it('reads fewer pixels of an AVIF, whose decoder takes the most memory', async t => {
    const small = await inFormat(photo(64, 64), 'avif')
    const at = small.indexOf('ispe', 0, 'latin1')
    assert.ok(at > 0)
    // behind the name and the version: width and height
    small.writeUInt32BE(6_000, at + 8)
    small.writeUInt32BE(5_000, at + 12)
    const { message } = await refuses(small, 'avif', ['IMAGE_TOO_LARGE'], t, 'an AVIF of 30 megapixels')
    assert.match(message, /6000 x 5000 pixels, which is 30 megapixels\. At most 25 are read/)
  })

  it('refuses a picture with so many pages that to look at them takes the decoder for minutes', async t => {
    const page = await inFormat(photo(2, 2), 'tiff')
    const at = page.readUInt32LE(4)
    const length = 2 + 12 * page.readUInt16LE(at) + 4
    const pages = 200_000
    const list = Buffer.concat([page, Buffer.alloc(pages * length)])
    // each page is the first, and says where the next one begins
    for (let n = 0; n < pages; n++) {
      const begin = page.length + n * length
      page.copy(list, begin, at, at + length)
      list.writeUInt32LE(n + 1 < pages ? begin + length : 0, begin + length - 4)
    }
    list.writeUInt32LE(page.length, 4)
    const { message } = await refuses(list, 'tiff', ['IMAGE_TOO_LARGE'], t, 'a TIFF of many pages')
    assert.match(message, /has 200000 pages|too many pages/)
  })

  it('refuses a copy that would be a bomb', async t => {
    const long = await inFormat(photo(2, 10_000), 'png')
    await assert.rejects(run(given(long, 'png'), { fit: 'outside', sizes: [[2048, 2048]] }, t), {
      code: 'IMAGE_TOO_LARGE',
      message: /2048 x 10240000 pixels/,
    })
  })

  it('reads on, or refuses, where a chunk inflates to more than anyone wants', async t => {
    const text = Buffer.concat([Buffer.from('Comment\0\0', 'latin1'), deflateSync(Buffer.alloc(200_000_000))])
    const whole = blackPng(8, 8)
    const bytes = Buffer.concat([whole.subarray(0, 33), chunk('zTXt', text), whole.subarray(33)])
    const trouble = await troubleWith(bytes, 'png', t)
    assert.ok(
      trouble === null || ['IMAGE_BROKEN', 'IMAGE_TOO_LARGE'].includes(trouble.code),
      trouble?.message,
    )
  })

  it('says of a picture that is cut off anywhere that it is broken, or makes thumbnails of it', async t => {
    for (const format of FORMATS) {
      const whole = await inFormat(photo(300, 300), format)
      assert.equal(await troubleWith(whole, format, t), null)
      const codes: (string | undefined)[] = []
      for (let tenth = 0; tenth < 10; tenth += format === 'jpeg' || format === 'png' ? 1 : 3)
        codes.push((await troubleWith(whole.subarray(0, (whole.length * tenth) / 10), format, t))?.code)
      if (format === 'jpeg' || format === 'png')
        assert.deepEqual(codes.slice(2), Array(8).fill('IMAGE_BROKEN'), format)
      for (const code of codes)
        assert.ok(
          code === undefined || code === 'IMAGE_BROKEN' || code === 'IMAGE_TYPE',
          `${format}: ${code}`,
        )
    }
  })

  it('reads with the decoders of its formats alone, whatever the bytes are called', async t => {
    for (const [what, text] of Object.entries({ SVG, PDF, PPM, HDR, nothing: '', text: 'hello' }))
      await refuses(Buffer.from(text, 'latin1'), 'png', ['IMAGE_TYPE'], t, what)
    // sharp alone would read it
    assert.equal((await sharp(Buffer.from(SVG)).metadata()).format, 'svg')
  })

  it('refuses what is of a type that it does not take, and what is of another format than it begins as', async t => {
    const png = await inFormat(photo(20, 20), 'png')
    await refuses(png, 'jpeg', ['IMAGE_TYPE'], t, 'a PNG that is called a JPEG')
    await assert.rejects(run({ bytes: Buffer.from(SVG), type: 'image/svg+xml' }, {}, t), {
      code: 'IMAGE_TYPE',
      message: /^The upload is image\/svg\+xml, /,
    })
    // the name does not count
    const made = await run(given(png, 'png', 'a.jpg'), { sizes: [[9, 9]] }, t)
    const zip = made.artifacts.get('thumbnails.zip')?.content ?? Buffer.alloc(0)
    assert.deepEqual(
      (await unzip(zip)).map(({ name }) => name),
      ['a.png', '9x9.png'],
    )
  })

  it('survives any bytes behind the beginning of a picture', async t => {
    const beginnings = await Promise.all(
      FORMATS.map(async format => ({ format, bytes: await inFormat(photo(40, 40), format) })),
    )
    const damaged = fc.record({
      which: fc.integer({ min: 0, max: FORMATS.length - 1 }),
      keep: fc.integer({ min: 4, max: 200 }),
      noise: fc.uint8Array({ minLength: 0, maxLength: 400 }),
      rest: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(damaged, async ({ which, keep, noise, rest }) => {
        const { format, bytes } = beginnings[which] ?? assert.fail()
        const tail = rest ? bytes.subarray(keep + noise.length) : Buffer.alloc(0)
        await troubleWith(Buffer.concat([bytes.subarray(0, keep), noise, tail]), format, t)
      }),
      { numRuns: 30 },
    )
  })

  it('bounds the memory of a decoder, and has the kernel end it first; says so when it dies, and ends with nothing of it left', async t => {
    const bytes = await inFormat(photo(6_000, 4_000), 'png')
    const ended = troubleWith(bytes, 'png', t)
    // one look at a time, until there is a decoder to kill
    let [pid] = await decoders()
    while (pid === undefined && (await Promise.race([ended, 'running'])) === 'running')
      [pid] = await decoders()
    assert.ok(pid !== undefined)
    const [limits, score] = await Promise.all(
      ['limits', 'oom_score_adj'].map(file => readFile(`/proc/${pid}/${file}`, 'latin1')),
    )
    assert.match(limits ?? '', /^Max data size +805306368 +805306368 /m)
    assert.match(limits ?? '', /^Max core file size +0 +0 /m)
    assert.equal(score, '1000\n')
    process.kill(pid, 'SIGSEGV')
    const error = await ended
    assert.equal(error?.code, 'DECODER_DIED')
    assert.equal(error?.message, 'The image has killed its decoder (SIGSEGV)')
    assert.deepEqual(await decoders(), [])
  })

  it('ends its decoder when the task is cancelled, before, amid and after the reading', async t => {
    const bytes = await inFormat(photo(3_000, 2_000), 'png')
    for (const at of ['reading', '100x100', '200x200']) {
      const controller = new AbortController()
      const reason = new Error(`cancelled at ${at}`)
      const sizes = [100, 200, 300].map(side => [side, side])
      await assert.rejects(
        run(given(bytes, 'png'), { sizes }, t, {
          signal: controller.signal,
          progress: (_, note) => {
            if (note === at) controller.abort(reason)
          },
        }),
        reason,
      )
      assert.deepEqual(await decoders(), [])
    }
  })

  it('does sixteen at once, good and bad, and its memory stays', async t => {
    const good = await inFormat(photo(4_000, 3_000), 'jpeg')
    const wide = await inFormat(photo(3_000, 2_000), 'png')
    const bomb = blackPng(30_000, 30_000)
    await troubleWith(good, 'jpeg', t)
    const before = await resident()
    let most = before
    const timer = setInterval(async () => {
      most = Math.max(most, await resident())
    }, 20)
    const samples = [
      [good, 'jpeg'],
      [wide, 'png'],
      [bomb, 'png'],
      [good.subarray(0, good.length / 2), 'jpeg'],
    ] as const
    const all = Array.from({ length: 16 }, (_, n) => samples[n % 4] ?? assert.fail())
    try {
      const ends = await Promise.all(all.map(async ([bytes, format]) => troubleWith(bytes, format, t)))
      assert.deepEqual(
        ends.map(error => error?.code),
        all.map((_, n) => [undefined, undefined, 'IMAGE_TOO_LARGE', 'IMAGE_BROKEN'][n % 4]),
      )
    } finally {
      clearInterval(timer)
    }
    const grown = Math.round((most - before) / 1024 ** 2)
    assert.ok(grown < 150, `the process has grown by ${grown} MiB`)
    assert.deepEqual(await decoders(), [])
  })
})

/** The living decoders that this process has started. */
const decoders = async (): Promise<number[]> => {
  const found: number[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const [stat, command] = await Promise.all(
      ['stat', 'cmdline'].map(file => readFile(`/proc/${name}/${file}`, 'latin1').catch(() => '')),
    )
    const [state, parent] = (stat ?? '').slice((stat ?? '').lastIndexOf(')') + 2).split(' ')
    if (state !== 'Z' && Number(parent) === process.pid && command?.includes('thumbnails/boot.mjs'))
      found.push(Number(name))
  }
  return found
}

describe('a machine without sharp', { timeout: 300_000 }, () => {
  it('loads the kind, whose summary and whose tasks say what is missing', t => {
    const folder = mkdtempSync(path.join(tmpdir(), 'madhava-no-sharp-'))
    undo(t, () => rmSync(folder, { recursive: true, force: true }))
    for (const part of ['src', 'package.json', 'tsconfig.json'])
      cpSync(path.join(ROOT, part), path.join(folder, part), { recursive: true })
    mkdirSync(path.join(folder, 'node_modules'))
    for (const name of readdirSync(path.join(ROOT, 'node_modules')))
      if (name !== 'sharp' && name !== '@img')
        symlinkSync(path.join(ROOT, 'node_modules', name), path.join(folder, 'node_modules', name))
    const script = `
      const { loadKinds } = await import('./src/load-kinds.ts')
      const { kinds } = await loadKinds({ kindsDir: null, kindSettings: { maxDigits: 100 } })
      const kind = kinds.get('thumbnails')
      const file = { bytes: 1, type: 'image/png', name: null, path: async () => '${folder}/package.json' }
      const context = { upload: async () => file, scratch: '${folder}/scratch', progress() {}, log() {},
        signal: new AbortController().signal }
      const params = kind.params.parse(kind.example)
      const error = await Promise.resolve(kind.run(params, context)).then(() => null, error => error)
      console.log(JSON.stringify({ summary: kind.summary, code: error?.code, message: error?.message }))`
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', script],
      { cwd: folder, encoding: 'utf8' },
    )
    assert.equal(stderr, '')
    const { summary, code, message } = JSON.parse(stdout)
    assert.match(summary, /\(fails here: the package sharp is not installed\)$/)
    assert.equal(code, 'SHARP_MISSING')
    assert.match(message, /sharp does not load.*npm install --include=optional sharp/)
    assert.ok(!message.includes(folder))
  })

  it('is not this one where sharp loads', { skip: noSharp() }, () => {
    assert.equal(kind.summary, 'Small copies of an image, and a zip of them with the original')
    assert.equal(FACTS.png.type, 'image/png')
  })
})
