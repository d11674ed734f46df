// The media type that is found in bytes.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { supportedMimeTypes } from 'file-type'
import { FIRST_BYTES } from '../../src/core/byte-digest.ts'
import { TYPE_BYTES, typeOfBytes } from '../../src/platform/type-of-bytes.ts'

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')

describe('the type of bytes', () => {
  it('is looked for in as many bytes as whoever counts them keeps', () => {
    assert.equal(TYPE_BYTES, FIRST_BYTES)
  })

  it('is that of a known form', async () => {
    assert.equal(await typeOfBytes(PNG), 'image/png')
    assert.equal(await typeOfBytes(Buffer.from('%PDF-1.7\n')), 'application/pdf')
    assert.equal(await typeOfBytes(Buffer.from('1f8b0800000000000003', 'hex')), 'application/gzip')
  })

  it('fits every form that is known', () => {
    for (const mime of supportedMimeTypes)
      assert.match(
        mime.replace(/ *;.*/, '').toLowerCase(),
        /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}$/,
      )
  })

  it('is text for UTF-8 without control characters, also when the beginning ends within a character', async () => {
    const letter = fc.constantFrom('a', 'é', '€', '😀', '\n', '\t', '\r', ' ')
    await fc.assert(
      fc.asyncProperty(
        fc.array(letter, { minLength: 1, maxLength: 50 }),
        fc.nat(4),
        async (letters, lead) => {
          const text = Buffer.from('.'.repeat(lead) + letters.join('').repeat(2_000))
          assert.equal(await typeOfBytes(text), 'text/plain')
          assert.equal(await typeOfBytes(text.subarray(0, TYPE_BYTES)), 'text/plain')
        },
      ),
      { numRuns: 50 },
    )
  })

  it('is no text for a control character or for what is not UTF-8', async () => {
    for (const bytes of ['\0', 'a\u0007', '\u007f', '\u0085'].map(text => Buffer.from(text)))
      assert.equal(await typeOfBytes(bytes), 'application/octet-stream')
    for (const hex of ['80', 'c3', '61ff61', 'eda080'])
      assert.equal(await typeOfBytes(Buffer.from(hex, 'hex')), 'application/octet-stream')
    assert.equal(await typeOfBytes(new Uint8Array()), 'application/octet-stream')
  })

  it('is a media type for any bytes, and depends on the beginning alone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 6_000 }), async bytes => {
        const type = await typeOfBytes(bytes)
        assert.match(type, /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/)
        if (bytes.length >= TYPE_BYTES) assert.equal(await typeOfBytes(bytes.subarray(0, TYPE_BYTES)), type)
      }),
    )
  })
})
