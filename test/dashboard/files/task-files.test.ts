// Files on the page of a task and on that of a link to it; and the field for a file in the form of a new task.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { z } from 'zod'
import { artifactFile, listArtifact } from '../../../src/core/artifacts.ts'
import { defineKind, loadKind } from '../../../src/core/kind.ts'
import { start } from '../../../src/core/moves.ts'
import { uploadSchema } from '../../../src/core/upload-ref.ts'
import { typeOfBytes } from '../../../src/platform/type-of-bytes.ts'
import { noSharp } from '../../kinds/thumbnails/around.ts'
import { anybody, person } from '../../support/actors.ts'
import { launchBrowser } from '../../support/browser.ts'
import { type DashboardDoor, openDashboardDoor } from '../../support/dashboard-door.ts'
import { assertAccessible, untilCount, visit } from '../../support/dashboard-page.ts'
import { requireService } from '../../support/services.ts'
import { until } from '../../support/until.ts'
import { bytesOf, makeTestFiles, noteDownloads, smallPhoto, type TestFiles } from './files-door.ts'

const WIDTH = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
const SHA = 'a'.repeat(64)
const now = (): string => new Date().toISOString()
const gallery = defineKind({
  summary: 'Takes files',
  params: z.strictObject({
    cover: uploadSchema({ types: ['image/jpeg', 'image/png'], maxBytes: 1024 ** 2 }).describe('the front'),
    more: z.array(uploadSchema()).default([]),
    note: z.string().default(''),
  }),
  result: z.null(),
  example: { cover: { $upload: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f' }, more: [], note: 'x' },
  run: () => null,
})

const skip = requireService('chromium') || noSharp()
describe('files of tasks on the dashboard', { skip, timeout: 600_000 }, () => {
  let browser: Browser
  let door: DashboardDoor
  let files: TestFiles
  before(async () => {
    files = makeTestFiles()
    door = await openDashboardDoor({
      fixture: { kinds: [loadKind('gallery', gallery, 'gallery.ts')], typeOf: typeOfBytes },
    })
    browser = await launchBrowser()
  })
  after(async () => {
    await browser?.close()
    await door?.close()
    files?.remove()
  })
  const upload = (name: string, bytes: Buffer) =>
    door.fixture.service.uploads.take(anybody(), { name }, [bytes] as never)
  const running = async () => {
    const { id } = await door.fixture.submit('echo', 1)
    const { claim } = (await door.fixture.store.claim(id, start('here', now()))) ?? { claim: 0 }
    let written = 0
    return {
      id,
      async keep(name: string, type: string, bytes: Buffer) {
        written += 1
        const file = artifactFile(claim, written)
        await door.fixture.store.putBlob(id, file, bytes)
        const artifact = { name, type, bytes: bytes.length, sha256: SHA, file }
        await door.fixture.store.move(id, claim, listArtifact(artifact, now()))
      },
    }
  }
  const shownImages = (page: Page) =>
    page.locator('.artifacts img').evaluateAll(images =>
      images.map(image => {
        const { src, naturalWidth } = image as unknown as { src: string; naturalWidth: number }
        return [new URL(src).pathname.split('/').at(-1), naturalWidth]
      }),
    )

  it('appear while the task runs, pictures as pictures, and nothing that could run as anything but a download', async () => {
    const { id, keep } = await running()
    const { page, leave } = await visit(browser, door.url, { path: `/task/${id}` })
    const downloads = noteDownloads(page)
    await page.waitForSelector('text=Timeline')
    await untilCount(page, '.artifacts li', 0)
    const picture = await smallPhoto()
    await keep('small.jpg', 'image/jpeg', picture)
    await untilCount(page, '.artifacts img', 1)
    const script = '<svg xmlns="http://www.w3.org/2000/svg"><script>document.title = "run"</script></svg>'
    await keep('drawing.svg', 'image/svg+xml', Buffer.from(script))
    await keep('page.html', 'text/html; charset=utf-8', Buffer.from(`<script>${script}</script>`))
    await keep('table.csv', 'text/csv', Buffer.from('a,b\n'))
    await untilCount(page, '.artifacts li', 4)
    await until('the picture is drawn', async () =>
      (await shownImages(page)).every(([, width]) => width === 300),
    )
    assert.deepEqual(await shownImages(page), [['small.jpg', 300]])
    await assertAccessible(page, 'the files of a task')
    for (const name of ['page.html', 'drawing.svg']) {
      const before = downloads.length
      await page.click(`.artifacts >> text=${name}`)
      await until(`${name} is saved`, () => downloads.length > before)
      // by its address, without the page's word for it: it is saved as well
      const opened = await page.context().newPage()
      await opened.goto(`${door.url}/api/task/${id}/artifacts/${name}`).catch((error: unknown) => {
        assert.match(String(error), /Download is starting|ERR_ABORTED/)
      })
      assert.equal(opened.url(), 'about:blank')
      await opened.close()
    }
    await page.setViewportSize({ width: 390, height: 800 })
    assert.equal(await page.evaluate(WIDTH), 0, 'nothing is cut off on a narrow screen')
    await leave()
  })

  it('stand on the page of a link too, for whoever has it', async () => {
    const { id, keep } = await running()
    const picture = await smallPhoto()
    await keep('small.jpg', 'image/jpeg', picture)
    const olga = await door.fixture.logIn('olga', 'operator')
    const { token } = await door.fixture.access.share(olga.actor, id, 3_600)
    const { page, leave } = await visit(browser, door.url, { name: null })
    const downloads = noteDownloads(page)
    await page.goto(`${door.url}/shared/${token}`)
    await untilCount(page, '.artifacts img', 1)
    await until('the picture is drawn', async () =>
      (await shownImages(page)).every(([, width]) => width === 300),
    )
    await keep('second.txt', 'text/plain', Buffer.from('said later'))
    await untilCount(page, '.artifacts li', 2)
    await page.click('.artifacts >> text=second.txt')
    await until('it is saved', () => downloads.length === 1)
    assert.equal((await bytesOf(downloads[0] as never)).toString(), 'said later')
    await assertAccessible(page, 'the files of a shared task')
    await leave()
  })

  it('that a task was given are named and can be saved, while they are there', async () => {
    const { id: given } = await upload('in.txt', Buffer.from('what was given'))
    const gone = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'
    const { id } = await door.fixture.submit('echo', { list: [{ $upload: given }], text: gone })
    const { page, leave } = await visit(browser, door.url, { path: `/task/${id}` })
    const downloads = noteDownloads(page)
    await page.click('text=in.txt')
    await until('it is saved', () => downloads.length === 1)
    assert.equal(downloads[0]?.suggestedFilename(), 'in.txt')
    assert.equal((await bytesOf(downloads[0] as never)).toString(), 'what was given')
    await page.route(`**/api/uploads/${given}`, route =>
      route.fulfill({ status: 404, json: { code: 'UPLOAD_NOT_FOUND', status: 404, detail: 'gone' } }),
    )
    await page.reload()
    await page.waitForSelector('text=no longer there')
    await leave(/status of 404/)
  })

  it('are chosen in the form of a new task, which refuses what cannot fit, and names them in its JSON', async () => {
    const { page, leave } = await visit(browser, door.url, { path: '/new?kind=gallery' })
    const cover = '#field-params\\.cover'
    await page.waitForSelector(cover, { state: 'attached' })
    await assertAccessible(page, 'a form with a field for a file')
    await page.click('text=Submit')
    await page.waitForSelector(`${cover}[aria-invalid]:focus`, { state: 'attached' })
    await page.waitForSelector('text=A file is needed here')
    await page.setInputFiles(cover, files.put('a.txt', 'x'))
    await page.waitForSelector('text=a.txt is none of JPEG, PNG')
    await page.setInputFiles(cover, {
      name: 'b.png',
      mimeType: 'image/png',
      buffer: Buffer.alloc(1024 ** 2 + 1),
    })
    await page.waitForSelector('text=b.png is larger than 1 MiB')
    await assertAccessible(page, 'a refused file')
    await page.setInputFiles(cover, files.put('c.jpg', await smallPhoto()))
    await page.waitForSelector('.taken >> text=c.jpg')
    await page.waitForSelector('.taken >> text=image/jpeg')
    await page.click('.form-tabs >> text=JSON')
    const whole = JSON.parse(await page.inputValue('#whole-json')) as {
      params: { cover: { $upload: string } }
    }
    const first = whole.params.cover.$upload
    assert.equal((await door.fixture.service.uploads.get(person('operator', 'admin'), first)).name, 'c.jpg')
    await page.click('.form-tabs >> text=Form')
    await page.click('.taken >> text=Remove')
    await page.waitForSelector(cover, { state: 'attached' })
    const isThere = async (id: string) => (await door.fixture.store.documents.get('uploads', id)) !== null
    await until('what was removed is gone', async () => !(await isThere(first)))
    await page.setInputFiles(cover, files.put('d.jpg', await smallPhoto()))
    await page.waitForSelector('.taken >> text=d.jpg')
    await page.click('#field-params\\.more')
    await page.setInputFiles('#field-params\\.more\\.0', files.put('e.bin', Buffer.from([0, 1, 2])))
    await page.waitForSelector('.taken >> text=e.bin')
    await assertAccessible(page, 'a form with files')
    await page.click('text=Submit')
    await page.waitForURL(/\/task\/[0-9a-f-]{36}$/)
    const task = await door.fixture.service.get(person('operator', 'admin'), page.url().slice(-36))
    const params = task.params as { cover: object; more: object[]; note: string }
    assert.deepEqual([Object.keys(params.cover), params.more.length, params.note], [['$upload'], 1, 'x'])
    await page.waitForSelector('text=d.jpg')
    await page.click('text=Edit and resubmit')
    await page.waitForSelector('.taken >> text=d.jpg')
    await leave(/status of 409/)
  })
})
