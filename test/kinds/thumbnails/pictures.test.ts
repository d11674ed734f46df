// The kind thumbnails with pictures as people have them: what is made is measured and looked at.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { FACTS, FORMATS } from '../../../src/kinds/lib/thumbnails/formats.ts'
import { FITS, sizeOfCopy } from '../../../src/kinds/lib/thumbnails/measures.ts'
import { typeOfBytes } from '../../../src/platform/type-of-bytes.ts'
import { blackPng, chunk, given, inFormat, type Made, noSharp, photo, run, sharp } from './around.ts'
import { unzip } from './unzip.ts'

const contentOf = (made: Made, name: string): Buffer =>
  made.artifacts.get(name)?.content ?? assert.fail(`there is no ${name}`)

/** Red, green, blue and alpha at a place. */
const colourAt = async (bytes: Buffer, left: number, top: number): Promise<number[]> => {
  const { data } = await sharp(bytes)
    .ensureAlpha()
    .toColourspace('srgb')
    .extract({ left, top, width: 1, height: 1 })
    .raw()
    .toBuffer({ resolveWithObject: true })
  return [...data]
}
const isNear = (colour: readonly number[], wanted: readonly number[]): boolean =>
  wanted.every((value, n) => Math.abs(value - (colour[n] ?? -1000)) <= 40)

describe('thumbnails of pictures', { skip: noSharp(), timeout: 900_000 }, () => {
  for (const format of FORMATS)
    it(`makes one of ${format} in its own format, and a zip with the original byte for byte`, async t => {
      const original = await inFormat(photo(400, 300), format)
      const { extension, type } = FACTS[format]
      const made = await run(given(original, format, `My photo.${extension}`), {}, t)
      const name = `128x128.${extension}`
      assert.deepEqual(
        { ...made.result, sizes: made.result.sizes.map(({ bytes: _, ...rest }) => rest) },
        {
          format,
          width: 400,
          height: 300,
          sizes: [{ width: 128, height: 96, asked: [128, 128], artifact: name }],
          zip: 'thumbnails.zip',
        },
      )
      assert.deepEqual([...made.artifacts.keys()], [name, 'thumbnails.zip'])
      assert.equal(made.artifacts.get(name)?.type, type)
      assert.equal(made.artifacts.get('thumbnails.zip')?.type, 'application/zip')
      const copy = contentOf(made, name)
      assert.equal(copy.length, made.result.sizes[0]?.bytes)
      const seen = await sharp(copy).metadata()
      assert.deepEqual(
        [seen.format === 'heif' ? 'avif' : seen.format, seen.width, seen.height],
        [format, 128, 96],
      )
      assert.deepEqual(await unzip(contentOf(made, 'thumbnails.zip')), [
        { name: `My photo.${extension}`, bytes: original, method: 0 },
        { name, bytes: copy, method: 0 },
      ])
      assert.deepEqual(
        made.steps.map(({ note, percent }) => [note, Math.round(percent)]),
        [
          ['reading', 0],
          ['128x128', 33],
          ['thumbnails.zip', 67],
        ],
      )
    })

  it('is of a type that the server finds in its first bytes, wherever the rest stands', async () => {
    const beginning = (bytes: Buffer): Buffer => Buffer.from(bytes.subarray(0, 4_100))
    for (const format of FORMATS) {
      const whole = await inFormat(photo(400, 300), format)
      assert.equal(await typeOfBytes(beginning(whole)), FACTS[format].type)
    }
    const png = await inFormat(photo(100, 100), 'png')
    const text = chunk('tEXt', Buffer.from(`Comment\0${'x'.repeat(10_000)}`, 'latin1'))
    const late = Buffer.concat([png.subarray(0, 33), text, png.subarray(33)])
    assert.equal(await typeOfBytes(beginning(late)), 'image/png')
    const large = await photo(400, 300).tiff({ bigtiff: true }).toBuffer()
    assert.equal(await typeOfBytes(beginning(large)), 'image/tiff')
  })

  it('makes each other format of it that is asked for, of a picture that one can see through too', async t => {
    const original = await inFormat(photo(64, 64, 4), 'png')
    for (const format of FORMATS) {
      const made = await run(given(original, 'png'), { format, sizes: [[32, 32]] }, t)
      const copy = contentOf(made, `32x32.${FACTS[format].extension}`)
      const { format: seen, width } = await sharp(copy).metadata()
      assert.deepEqual([seen === 'heif' ? 'avif' : seen, width], [format, 32])
      const alpha = (await colourAt(copy, 16, 16))[3] ?? -1
      // a JPEG has none, and a GIF only all or nothing
      if (format === 'jpeg') assert.equal(alpha, 255)
      else if (format !== 'gif') assert.ok(Math.abs(alpha - 128) <= 8, `${format}: ${alpha}`)
    }
  })

  it('puts white behind what a JPEG would show as black', async t => {
    const clear = { width: 40, height: 40, channels: 4 as const, background: { r: 0, g: 0, b: 0, alpha: 0 } }
    const original = await sharp({ create: clear }).png().toBuffer()
    const made = await run(given(original, 'png'), { format: 'jpeg', sizes: [[20, 20]] }, t)
    assert.ok(isNear(await colourAt(contentOf(made, '20x20.jpg'), 10, 10), [255, 255, 255, 255]))
  })

  it('makes every fit as large as it says, and says how large', async t => {
    const original = await inFormat(photo(300, 100), 'png')
    const sizes = [
      [64, 64],
      [30, 90],
      [400, 400],
    ] as const
    for (const fit of FITS) {
      const made = await run(given(original, 'png'), { fit, sizes }, t)
      for (const [n, asked] of sizes.entries()) {
        const wanted = sizeOfCopy([300, 100], asked, fit)
        const { width, height } = await sharp(contentOf(made, `${asked.join('x')}.png`)).metadata()
        const told = made.result.sizes[n]
        assert.deepEqual([width, height], wanted, `${fit} ${asked}`)
        assert.deepEqual([told?.width, told?.height, told?.asked], [...wanted, [...asked]])
      }
      const zipped = await unzip(contentOf(made, 'thumbnails.zip'))
      assert.deepEqual(
        zipped.map(({ name }) => name),
        ['original.png', '64x64.png', '30x90.png', '400x400.png'],
      )
    }
  })

  it('turns all eight orientations upright, and leaves the original as it was', async t => {
    const half = { width: 40, height: 60, channels: 3 as const, background: '#0000ff' }
    const red = { create: { width: 40, height: 30, channels: 3 as const, background: '#ff0000' } }
    // red above, blue below; a green corner at the top left
    const green = { create: { width: 20, height: 20, channels: 3 as const, background: '#00ff00' } }
    const upright = await sharp({ create: half })
      .composite([
        { input: red, left: 0, top: 0 },
        { input: green, left: 0, top: 0 },
      ])
      .png()
      .toBuffer()
    // how far a camera has turned it clockwise, and whether it has mirrored what came of that
    const stored: Record<number, [degrees: number, mirrored: boolean]> = {
      1: [0, false],
      2: [0, true],
      3: [180, false],
      4: [180, true],
      5: [90, true],
      6: [270, false],
      7: [270, true],
      8: [90, false],
    }
    for (const [orientation, [degrees, mirrored]] of Object.entries(stored)) {
      const turned = await sharp(upright).rotate(degrees).png().toBuffer()
      const original = await sharp(turned)
        .flop(mirrored)
        .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
        .withMetadata({ orientation: Number(orientation) })
        .toBuffer()
      const made = await run(given(original, 'jpeg', 'a.jpg'), { sizes: [[30, 30]], format: 'png' }, t)
      const { width, height, sizes } = made.result
      assert.deepEqual([width, height, sizes[0]?.width, sizes[0]?.height], [40, 60, 20, 30], orientation)
      const copy = contentOf(made, '30x30.png')
      assert.equal((await sharp(copy).metadata()).orientation, undefined)
      assert.ok(isNear(await colourAt(copy, 3, 3), [0, 255, 0]), `${orientation}: the corner`)
      assert.ok(isNear(await colourAt(copy, 16, 3), [255, 0, 0]), `${orientation}: above`)
      assert.ok(isNear(await colourAt(copy, 10, 26), [0, 0, 255]), `${orientation}: below`)
      const [first] = await unzip(contentOf(made, 'thumbnails.zip'))
      assert.ok(first?.bytes.equals(original), orientation)
    }
  })

  it('takes away where and by whom a photograph was taken', async t => {
    const original = await photo(80, 80)
      .withExif({
        IFD0: { Copyright: 'Jane Roe' },
        IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 0/1' },
      })
      .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>Jane Roe</a></x:xmpmeta>')
      .jpeg()
      .toBuffer()
    assert.ok(original.includes('Jane Roe'))
    assert.ok((await sharp(original).metadata()).exif)
    for (const format of FORMATS) {
      const made = await run(given(original, 'jpeg'), { format, sizes: [[40, 40]] }, t)
      const copy = contentOf(made, `40x40.${FACTS[format].extension}`)
      const { exif, xmp, iptc } = await sharp(copy).metadata()
      assert.deepEqual([exif, xmp, iptc], [undefined, undefined, undefined], format)
      assert.ok(!copy.includes('Jane Roe'))
    }
  })

  it('shows CMYK, 16 bits and grey in the colours that they have', async t => {
    const orange = { create: { width: 60, height: 60, channels: 3 as const, background: '#ff8000' } }
    const cmyk = await sharp(orange).toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer()
    assert.equal((await sharp(cmyk).metadata()).space, 'cmyk')
    const deep = await sharp(orange).toColourspace('rgb16').png().toBuffer()
    assert.equal((await sharp(deep).metadata()).depth, 'ushort')
    const grey = await sharp(orange).greyscale().toColourspace('b-w').png().toBuffer()
    const [level = 0] = await colourAt(grey, 20, 20)
    const samples = [
      [cmyk, 'jpeg', [255, 128, 0]],
      [deep, 'png', [255, 128, 0]],
      [grey, 'png', [level, level, level]],
    ] as const
    for (const [bytes, format, colour] of samples) {
      const made = await run(given(bytes, format), { sizes: [[20, 20]] }, t)
      const copy = contentOf(made, `20x20.${FACTS[format].extension}`)
      const { space, depth } = await sharp(copy).metadata()
      assert.ok(space === 'srgb' || space === 'b-w', space)
      assert.equal(depth, 'uchar')
      const seen = await colourAt(copy, 10, 10)
      assert.ok(isNear(seen, colour), `${seen} instead of ${colour}`)
    }
  })

  it('takes the first picture of several', async t => {
    const frame = (background: string) => ({
      create: { width: 40, height: 40, channels: 3 as const, background },
    })
    const [red, blue] = await Promise.all(
      ['#ff0000', '#0000ff'].map(colour => sharp(frame(colour)).png().toBuffer()),
    )
    const joined = sharp(
      [red, blue].filter(one => one !== undefined),
      { join: { animated: true } },
    )
    for (const format of ['gif', 'webp', 'tiff'] as const) {
      const original = await inFormat(joined.clone(), format)
      assert.equal((await sharp(original).metadata()).pages, 2, format)
      const made = await run(given(original, format), { sizes: [[20, 20]], format: 'png' }, t)
      assert.deepEqual([made.result.width, made.result.height], [40, 40])
      assert.ok(isNear(await colourAt(contentOf(made, '20x20.png'), 10, 10), [255, 0, 0]), format)
    }
  })

  it('makes something of the smallest picture, and of the longest', async t => {
    for (const [width, height] of [
      [1, 1],
      [1, 10_000],
      [10_000, 1],
    ] as const) {
      const original = await inFormat(photo(width, height), 'png')
      const made = await run(given(original, 'png'), {}, t)
      const [wantedWidth, wantedHeight] = sizeOfCopy([width, height], [128, 128], 'inside')
      const copy = await sharp(contentOf(made, '128x128.png')).metadata()
      assert.deepEqual([copy.width, copy.height], [wantedWidth, wantedHeight])
    }
  })

  it('makes something of a picture of millions of pixels in one row, in every fit that has a size for it', async t => {
    for (const [width, height] of [
      [1, 2_000_000],
      [2_000_000, 1],
    ] as const) {
      const original = blackPng(width, height)
      for (const fit of ['inside', 'cover', 'contain', 'fill'] as const) {
        const made = await run(given(original, 'png'), { sizes: [[300, 200]], fit, format: 'jpeg' }, t)
        assert.deepEqual([made.result.width, made.result.height], [width, height])
        const copy = await sharp(contentOf(made, '300x200.jpg')).metadata()
        const inside = width < height ? [1, 200] : [300, 1]
        assert.deepEqual([copy.width, copy.height], fit === 'inside' ? inside : [300, 200], fit)
      }
    }
  })

  it('cuts a very long picture for cover where it cuts a shorter one: in its middle', async t => {
    // red, a third of it white, blue
    const bands = async (side: number) => {
      const third = (colour: string) =>
        ({ create: { width: 3, height: side, channels: 3, background: colour } }) as const
      const parts = await Promise.all(
        ['#ff0000', '#ffffff', '#0000ff'].map(colour => sharp(third(colour)).png().toBuffer()),
      )
      return inFormat(
        sharp({ create: { width: 3, height: 3 * side, channels: 3, background: '#000' } }).composite(
          parts.map((input, n) => ({ input, left: 0, top: n * side })),
        ),
        'png',
      )
    }
    for (const side of [100, 9_000]) {
      const made = await run(given(await bands(side), 'png'), { sizes: [[2_000, 2_000]], fit: 'cover' }, t)
      assert.ok(isNear(await colourAt(contentOf(made, '2000x2000.png'), 1_000, 1_000), [255, 255, 255]))
    }
  })

  it('makes sixteen sizes, and says each step', async t => {
    const sizes = Array.from({ length: 16 }, (_, n) => [n + 1, n + 1])
    const made = await run(given(await inFormat(photo(60, 60), 'webp'), 'webp'), { sizes }, t)
    assert.equal(made.artifacts.size, 17)
    assert.deepEqual(
      made.steps.map(({ note }) => note),
      ['reading', ...sizes.map(size => size.join('x')), 'thumbnails.zip'],
    )
    assert.ok(
      made.steps.every(({ percent }, n) => percent > (made.steps[n - 1]?.percent ?? -1) && percent < 100),
    )
  })

  it('writes a zip that Python reads', {
    skip: existsSync('/usr/bin/python3') ? false : 'there is no Python',
  }, async t => {
    const original = await inFormat(photo(200, 200), 'jpeg')
    const made = await run(given(original, 'jpeg', 'Größe 图.jpg'), {}, t)
    const file = path.join(made.folder, 'all.zip')
    writeFileSync(file, contentOf(made, 'thumbnails.zip'))
    const script = `import sys, zipfile, hashlib
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
sys.stdout.buffer.write('|'.join(z.namelist()).encode('utf-8'))`
    const names = execFileSync('/usr/bin/python3', ['-c', script, file], { encoding: 'utf8' })
    assert.equal(names, 'Größe 图.jpg|128x128.jpg')
  })
})
