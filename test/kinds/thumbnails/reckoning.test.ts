// What the kind thumbnails reckons without a picture: names, sizes, params, the zip.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { ARTIFACT_NAME } from '../../../src/core/artifacts.ts'
import { parseParams } from '../../../src/core/kind-params.ts'
import { withinCpu } from '../../../src/kinds/lib/thumbnails/cpu-limit.ts'
import { FACTS, FORMATS, formatOfType, TAKEN_TYPES } from '../../../src/kinds/lib/thumbnails/formats.ts'
import {
  cutForCover,
  FITS,
  PIXELS_MAX,
  refusalOf,
  refusalOfCopy,
  SIDE_MAX,
  type Size,
  sizeOfCopy,
} from '../../../src/kinds/lib/thumbnails/measures.ts'
import { nameOfCopy, nameOfOriginal } from '../../../src/kinds/lib/thumbnails/names.ts'
import { zipOf } from '../../../src/kinds/lib/thumbnails/zip.ts'
import { IMAGE, kind } from './around.ts'
import { unzip } from './unzip.ts'

const side = fc.integer({ min: 1, max: 70_000 })
const asked = fc.tuple(
  fc.integer({ min: 1, max: SIDE_MAX }),
  fc.integer({ min: 1, max: SIDE_MAX }),
) satisfies fc.Arbitrary<Size>

describe('sizes of thumbnails', () => {
  it('fit into what was asked for, or cover it, in the proportions of the picture to half a pixel', () => {
    fc.assert(
      fc.property(fc.tuple(side, side), asked, fc.constantFrom(...FITS), (picture, [width, height], fit) => {
        const made = sizeOfCopy(picture, [width, height], fit)
        assert.ok(made.every(length => Number.isInteger(length) && length >= 1))
        if (fit === 'inside')
          assert.ok(made[0] <= Math.min(width, picture[0]) && made[1] <= Math.min(height, picture[1]))
        else if (fit === 'outside') assert.ok(made[0] >= width && made[1] >= height)
        else assert.deepEqual(made, [width, height])
        if (fit !== 'inside' && fit !== 'outside') return
        const factors = [width / picture[0], height / picture[1]]
        const factor = fit === 'inside' ? Math.min(...factors, 1) : Math.max(...factors)
        for (const n of [0, 1] as const)
          assert.ok(made[n] === 1 || Math.abs(made[n] - picture[n] * factor) <= 0.5 + 1e-6)
      }),
    )
  })

  it('of everything but outside are never refused, and a picture is refused by its pixels', () => {
    fc.assert(fc.property(asked, size => assert.equal(refusalOfCopy(size), null)))
    assert.equal(refusalOf([1, PIXELS_MAX], 'png'), null)
    assert.match(refusalOf([1, PIXELS_MAX + 1], 'png') ?? '', /which is 50\.1 megapixels\. At most 50/)
    assert.equal(refusalOf([5_000, 5_000], 'avif'), null)
    assert.match(refusalOf([5_000, 5_001], 'avif') ?? '', /At most 25/)
  })
})

describe('what is cut out before cover', () => {
  it('lies within the picture, has the proportions that are asked for, and is cut of long pictures alone', () => {
    const long = fc.integer({ min: 1, max: PIXELS_MAX })
    fc.assert(
      fc.property(
        fc.tuple(fc.integer({ min: 1, max: 20 }), long),
        asked,
        fc.boolean(),
        (sides, size, lies) => {
          const [width, height] = lies ? [sides[1], sides[0]] : sides
          const cut = cutForCover([width, height], size)
          const factor = Math.max(size[0] / width, size[1] / height)
          assert.equal(cut === null, Math.max(width, height) * factor <= 8_000_000)
          if (cut === null) return
          assert.ok(cut.left >= 0 && cut.top >= 0 && cut.width >= 1 && cut.height >= 1)
          assert.ok(cut.left + cut.width <= width && cut.top + cut.height <= height)
          assert.ok(Math.abs(2 * cut.left + cut.width - width) <= 1)
          assert.ok(Math.abs(2 * cut.top + cut.height - height) <= 1)
          for (const [got, all, n] of [
            [cut.width, width, size[0]],
            [cut.height, height, size[1]],
          ] as const)
            assert.ok(got === 1 || got === all || Math.abs(got - n / factor) <= 0.5 + 1e-6)
        },
      ),
    )
  })
})

describe('work that is bounded by its CPU', () => {
  const late = () => new Error('late')

  it('gives what it gives, or fails as it fails, while it takes less', async () => {
    assert.equal(await withinCpu(Promise.resolve(7), { seconds: 60, late }), 7)
    await assert.rejects(withinCpu(Promise.reject(new Error('own')), { seconds: 60, late }), /^Error: own$/)
  })

  it('is given up once it has taken more, and not for the time that it waits', async () => {
    let waiting = true
    const given = withinCpu(new Promise(() => undefined), { seconds: 0.5, late }).finally(() => {
      waiting = false
    })
    given.catch(() => undefined)
    const begun = process.cpuUsage()
    while (waiting) {
      for (const end = process.cpuUsage().user + 10_000; process.cpuUsage().user < end; );
      await turn()
    }
    await assert.rejects(given, /^Error: late$/)
    const { user, system } = process.cpuUsage(begun)
    assert.ok(user + system >= 500_000)
  })
})

describe('names of thumbnails', () => {
  it('are names of artifacts, and differ for different sizes', () => {
    fc.assert(
      fc.property(asked, asked, fc.constantFrom(...FORMATS), (one, other, format) => {
        assert.match(nameOfCopy(one, format), ARTIFACT_NAME)
        assert.equal(nameOfCopy(one, format) === nameOfCopy(other, format), String(one) === String(other))
      }),
    )
  })

  it('keep the name of the original where it is a good one', () => {
    for (const [name, format, kept] of [
      ['IMG_0001.JPG', 'jpeg', 'IMG_0001.JPG'],
      ['holiday.jpeg', 'jpeg', 'holiday.jpeg'],
      ['Größe 图.png', 'png', 'Größe 图.png'],
      ['photo.png', 'jpeg', 'photo.jpg'],
      ['photo.exe', 'png', 'photo.exe.png'],
      ['archive.tar.gz', 'gif', 'archive.tar.gz.gif'],
      ['scan.tiff', 'tiff', 'scan.tiff'],
      [null, 'webp', 'original.webp'],
      ['', 'webp', 'original.webp'],
      ['.jpg', 'jpeg', 'original.jpg'],
      ['...', 'avif', 'original.avif'],
      ['../../etc/passwd', 'png', 'passwd.png'],
      ['C:\\Users\\me\\a.gif', 'gif', 'a.gif'],
      ['con.png', 'png', 'original-con.png'],
      ['LPT1', 'png', 'original-LPT1.png'],
      ['128x128.jpg', 'jpeg', 'original-128x128.jpg'],
      ['evil\u202egpj.exe', 'jpeg', 'evilgpj.exe.jpg'],
      ['a\0b\n.png', 'png', 'ab.png'],
    ] as const)
      assert.equal(nameOfOriginal(name, format), kept)
  })

  it('are not those of devices of Windows', () => {
    for (const device of ['CON', 'aux', 'COM1', 'com¹', 'LPT³', 'CONIN$', 'conout$.x'])
      assert.equal(nameOfOriginal(`${device}.png`, 'png'), `original-${device}.png`)
  })

  it('are safe in every file system, whatever the client called its file, and never those of a copy', () => {
    const odd = fc.constantFrom(
      '.',
      '/',
      '\\',
      ':',
      '\0',
      '\u202e',
      ' ',
      '..',
      'con',
      'x',
      '1',
      '.jpg',
      '🙂',
      '\ud800',
    )
    const name = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(odd).map(parts => parts.join('')),
      fc
        .tuple(fc.constantFrom('x', 'é', '漢', '🙂'), fc.nat(255), odd)
        .map(([one, n, end]) => one.repeat(n) + end),
    )
    fc.assert(
      fc.property(fc.option(name), fc.constantFrom(...FORMATS), (given, format) => {
        const made = nameOfOriginal(given, format)
        assert.doesNotMatch(made, /[\p{C}<>:"/\\|?*]|^[.\s]|[.\s]$|^\d+x\d+\.[a-z]+$/iu)
        assert.ok(made.isWellFormed() && [...made].length <= 110 && made !== '')
        assert.ok(Buffer.byteLength(made) <= 255, made)
        const end = made.split('.').at(-1)?.toLowerCase() ?? ''
        assert.ok([FACTS[format].extension, ...FACTS[format].alsoEnds].includes(end), made)
      }),
      { numRuns: 1000 },
    )
  })

  it('has a format for each type that is taken, and for no other', () => {
    assert.ok(TAKEN_TYPES.every(type => formatOfType(type) !== null))
    for (const type of ['image/svg+xml', 'application/pdf', 'image/heic', '', 'constructor'])
      assert.equal(formatOfType(type), null)
  })
})

describe('params of thumbnails', () => {
  const image = { $upload: IMAGE }
  it('ask for one of 128 x 128 inside, unless they say otherwise', async () => {
    assert.deepEqual(await parseParams(kind, { image }), { image, sizes: [[128, 128]], fit: 'inside' })
  })

  it('are refused when nothing sensible can be made of them', async () => {
    for (const wrong of [
      {},
      { image: IMAGE },
      { image, sizes: [] },
      { image, sizes: [[0, 1]] },
      { image, sizes: [[1, SIDE_MAX + 1]] },
      { image, sizes: [[1.5, 1]] },
      { image, sizes: [[1]] },
      {
        image,
        sizes: [
          [9, 9],
          [8, 8],
          [9, 9],
        ],
      },
      { image, sizes: Array.from({ length: 17 }, (_, n) => [1, n + 1]) },
      { image, fit: 'around' },
      { image, format: 'svg' },
      { image, quality: 1 },
    ])
      await assert.rejects(parseParams(kind, wrong), { code: 'PARAMS_INVALID' }, JSON.stringify(wrong))
  })
})

describe('a zip', () => {
  it('has the bytes of each entry as they were, however they come', async () => {
    const entry = fc.array(fc.uint8Array({ minLength: 1, maxLength: 500 }), { maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 6 }), async files => {
        const entries = files.map((parts, n) => ({
          name: `${n}.png`,
          bytes: parts.reduce((sum, part) => sum + part.length, 0),
          open: () => Readable.from(parts.map(part => Buffer.from(part))),
        }))
        const found = await unzip(await buffer(zipOf(entries)))
        assert.deepEqual(
          found.map(({ name, bytes }) => [name, bytes]),
          files.map((parts, n) => [`${n}.png`, Buffer.concat(parts)]),
        )
      }),
    )
  })

  it('fails when a file cannot be read or has other than its bytes, and closes what it has opened', async () => {
    const broken = new Error('the disk is gone')
    const failing = new Readable({
      read() {
        this.destroy(broken)
      },
    })
    await assert.rejects(buffer(zipOf([{ name: 'a', bytes: 5, open: () => failing }])), broken)
    const short = { name: 'a', bytes: 5, open: () => Readable.from([Buffer.from('1234')]) }
    await assert.rejects(buffer(zipOf([short])), /unexpected number of bytes/)
    const endless = new Readable({
      read() {
        this.push(Buffer.alloc(65_536))
      },
    })
    for await (const _ of zipOf([{ name: 'a', bytes: 2 ** 31, open: () => endless }])) break
    assert.ok(endless.destroyed)
  })

  it('is read at the pace of its reader', async () => {
    let given = 0
    const fast = new Readable({
      read() {
        given += 65_536
        this.push(given > 64 * 1024 ** 2 ? null : Buffer.alloc(65_536))
      },
    })
    let read = 0
    for await (const part of zipOf([{ name: 'a', bytes: 64 * 1024 ** 2, open: () => fast }])) {
      read += part.length
      assert.ok(given - read < 2 * 1024 ** 2, `${given - read} bytes ahead`)
      await new Promise(resolve => setImmediate(resolve))
    }
    assert.ok(read > 64 * 1024 ** 2)
  })
})
