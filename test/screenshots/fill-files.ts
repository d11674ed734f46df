// One image that becomes thumbnails, and one page that is parsed, by the real kinds, in a bundle for the screenshots.
import assert from 'node:assert/strict'
import sharp from 'sharp'
import type { Bundle } from '../support/bundle.ts'
import { until } from '../support/until.ts'

const SOON_MS = 120_000
/** Hills in the evening: drawn, so that nobody's photograph is in the tree. */
const HILLS = `<svg xmlns="http://www.w3.org/2000/svg" width="3000" height="2000" viewBox="0 0 300 200">
<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#2b3a67"/>
<stop offset=".7" stop-color="#e8846b"/><stop offset="1" stop-color="#ffd9a0"/></linearGradient></defs>
<rect width="300" height="200" fill="url(#sky)"/><circle cx="205" cy="112" r="17" fill="#fff1d0"/>
<path d="M0 140 Q50 90 105 132 T210 122 T300 135 V200 H0Z" fill="#7c5a78"/>
<path d="M0 160 Q70 118 150 158 T300 150 V200 H0Z" fill="#4b3a5e"/>
<path d="M0 182 Q90 150 170 182 T300 176 V200 H0Z" fill="#2a2440"/></svg>`

/** The ids of both tasks, which have ended. */
export const fillFiles = async (bundle: Bundle): Promise<{ thumbnails: string; parse: string }> => {
  const image = await sharp(Buffer.from(HILLS)).jpeg({ quality: 90 }).toBuffer()
  const answer = await fetch(`${bundle.api}/uploads?name=evening.jpg`, {
    method: 'POST',
    body: new Uint8Array(image),
  })
  assert.equal(answer.status, 201, await answer.clone().text())
  const { id } = (await answer.json()) as { id: string }
  const sizes = [
    [128, 128],
    [320, 240],
    [64, 64],
  ]
  const made = await bundle.submit({
    kind: 'thumbnails',
    params: { image: { $upload: id }, sizes },
    title: 'evening.jpg',
  })
  const url = `${bundle.api}/docs`
  const parsed = await bundle.submit({ kind: 'parse', params: { url }, title: url })
  await until(
    'both have ended',
    async () => {
      const both = await Promise.all([made.id, parsed.id].map(bundle.get))
      for (const { status, error } of both) assert.notEqual(status, 'FAILURE', JSON.stringify(error))
      return both.every(({ status }) => status === 'SUCCESS')
    },
    SOON_MS,
  )
  return { thumbnails: made.id, parse: parsed.id }
}
