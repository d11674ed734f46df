// The page of thumbnails in a real Chromium: from a photograph to the saved zip, whatever happens on the way.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { noSharp, sharp } from '../../kinds/thumbnails/around.ts'
import { unzip } from '../../kinds/thumbnails/unzip.ts'
import { launchBrowser } from '../../support/browser.ts'
import { openDashboardDoor } from '../../support/dashboard-door.ts'
import { assertAccessible, untilCount, visit } from '../../support/dashboard-page.ts'
import { requireService } from '../../support/services.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'
import { until } from '../../support/until.ts'
import {
  bytesOf,
  type FilesDoor,
  makeTestFiles,
  noteDownloads,
  openChooser,
  openFilesDoor,
  photograph,
  smallPhoto,
  type TestFiles,
  tabTo,
} from './files-door.ts'

const MIB = 1024 ** 2
const taskIn = (page: Page): string => new URL(page.url()).searchParams.get('task') ?? ''
/** A task that no longer waits when the page asks why it does. */
const NO_LONGER_WAITS = /status of 409/
/** What a restart of the dashboard makes a page complain of, too. */
const AWAY = /ERR_|status of (?:409|5\d\d)/

describe('the page of thumbnails', {
  skip: requireService('chromium') || noSharp(),
  timeout: 900_000,
}, () => {
  let browser: Browser
  let door: FilesDoor
  let files: TestFiles
  before(async () => {
    browser = await launchBrowser()
    files = makeTestFiles()
  })
  beforeEach(async () => {
    await door?.close()
    door = await openFilesDoor()
  })
  after(async () => {
    await browser?.close()
    await door?.close()
    files?.remove()
  })
  const tasks = async () => (await door.fixture.store.list({}, { limit: 9, cursor: null })).tasks

  it('makes a zip of a photograph, by the keyboard alone, and saves it once', async () => {
    const bytes = await photograph()
    const { page, leave } = await visit(browser, door.url, { path: '/thumbnails' })
    const downloads = noteDownloads(page)
    await page.waitForSelector('#image', { state: 'attached' })
    await assertAccessible(page, 'the place for an image')
    await tabTo(page, '.quick summary')
    await page.keyboard.press('Enter')
    await tabTo(page, '#sizes')
    await page.keyboard.press('End')
    await page.keyboard.type(', 640 × 480')
    await assertAccessible(page, 'the options')
    for (let back = 0; back < 2; back += 1) await page.keyboard.press('Shift+Tab')
    await page.waitForSelector('#image:focus', { state: 'attached' })
    door.worker.hold()
    const chooser = await openChooser(page, '#image')
    await chooser.setFiles(files.put('IMG_1234.jpg', bytes))
    await page.waitForSelector('.run >> text=PENDING')
    await assertAccessible(page, 'while it waits')
    door.worker.release()
    await page.waitForSelector('text=thumbnails.zip is being saved by the browser.')
    await until('the zip is saved', () => downloads.length === 1)
    assert.equal(downloads[0]?.suggestedFilename(), 'thumbnails.zip')
    const entries = await unzip(await bytesOf(downloads[0]))
    assert.deepEqual(
      entries.map(({ name }) => name),
      ['IMG_1234.jpg', '128x128.jpg', '640x480.jpg'],
    )
    assert.ok(entries[0]?.bytes.equals(bytes), 'the original is in it, byte for byte')
    const measured = await Promise.all(
      entries.slice(1).map(async entry => {
        const { format, width, height, orientation } = await sharp(entry.bytes).metadata()
        return { format, width, height, orientation }
      }),
    )
    assert.deepEqual(measured, [
      { format: 'jpeg', width: 96, height: 128, orientation: undefined },
      { format: 'jpeg', width: 360, height: 480, orientation: undefined },
    ])
    await untilCount(page, '.gallery img', 2)
    const shown = await page.locator('.gallery img').evaluateAll(async images => {
      const pictures = images as unknown as {
        decode(): Promise<void>
        naturalWidth: number
        naturalHeight: number
      }[]
      await Promise.all(pictures.map(picture => picture.decode()))
      return pictures.map(({ naturalWidth, naturalHeight }) => [naturalWidth, naturalHeight])
    })
    assert.deepEqual(shown, [
      [96, 128],
      [360, 480],
    ])
    await assertAccessible(page, 'the pictures')
    // a reload saves nothing again: the next that is saved is what the reader asks for
    await page.reload()
    await page.waitForSelector('.run >> text=SUCCESS')
    await page.click('text=640x480.jpg')
    await until('the picture is saved', () => downloads.length > 1)
    assert.deepEqual(
      downloads.map(download => download.suggestedFilename()),
      ['thumbnails.zip', '640x480.jpg'],
    )
    const [task] = await tasks()
    assert.equal(task?.title, 'IMG_1234.jpg')
    await leave(NO_LONGER_WAITS)
  })

  it('saves nothing by itself for whoever only follows the address of a task', async () => {
    const { page, leave } = await visit(browser, door.url, { path: '/thumbnails' })
    const downloads = noteDownloads(page)
    await page.setInputFiles('#image', files.put('a.jpg', await smallPhoto()))
    await until('the zip is saved', () => downloads.length === 1)
    const other = await visit(browser, door.url, { path: `/thumbnails?task=${taskIn(page)}`, name: 'viewer' })
    const theirs = noteDownloads(other.page)
    await untilCount(other.page, '.gallery img', 1)
    await other.page.click('text=128x128.jpg')
    await until('they save a picture', () => theirs.length > 0)
    assert.deepEqual(
      theirs.map(download => download.suggestedFilename()),
      ['128x128.jpg'],
    )
    await other.leave(NO_LONGER_WAITS)
    await leave(NO_LONGER_WAITS)
  })

  it('goes on after a reload in the middle, and after a restart of the dashboard', async () => {
    const { page, leave } = await visit(browser, door.url, { path: '/thumbnails' })
    const downloads = noteDownloads(page)
    door.worker.hold()
    await page.setInputFiles('#image', files.put('b.jpg', await smallPhoto()))
    await page.waitForSelector('.run >> text=PENDING')
    const id = taskIn(page)
    await page.reload()
    await page.waitForSelector('.run >> text=PENDING')
    await door.shut()
    await page.waitForSelector('text=The dashboard does not answer.')
    await door.open()
    door.worker.release()
    await page.waitForSelector('.run >> text=SUCCESS')
    await until('the zip is saved', () => downloads.length === 1)
    assert.equal((await unzip(await bytesOf(downloads[0] as never))).length, 2)
    assert.equal(taskIn(page), id)
    assert.equal((await tasks()).length, 1)
    await leave(AWAY)
  })

  it('sends a large file on from where the connection broke, and says so meanwhile', async () => {
    const small = await smallPhoto()
    // what stands behind the end of a JPEG harms nobody
    const bytes = Buffer.concat([small, Buffer.alloc(24 * MIB, 7)])
    const proxy = await startTcpProxy({ port: Number(new URL(door.url).port) })
    const { page, leave } = await visit(browser, `http://127.0.0.1:${proxy.port}`, { path: '/thumbnails' })
    const downloads = noteDownloads(page)
    const offsets: number[] = []
    page.on('request', request => {
      const offset = new URL(request.url()).searchParams.get('offset')
      if (request.method() === 'PATCH' && offset !== null) offsets.push(Number(offset))
    })
    await page.waitForSelector('#image', { state: 'attached' })
    const passed = proxy.passed('up')
    const broken = until('a good part has gone', () => proxy.passed('up') > passed + 12 * MIB).then(() =>
      proxy.refuse(),
    )
    await page.setInputFiles('#image', files.put('large.jpg', bytes))
    await broken
    await page.waitForSelector('text=The connection broke while sending')
    await page.waitForSelector('text=Try now')
    await assertAccessible(page, 'a broken connection')
    await proxy.accept()
    await until('the zip is saved', () => downloads.length === 1)
    const entries = await unzip(await bytesOf(downloads[0] as never))
    assert.ok(entries[0]?.bytes.equals(bytes), 'all of it came')
    assert.ok(
      offsets.some(offset => offset >= 8 * MIB) && offsets.filter(offset => offset === 0).length === 1,
      `it went on where it was: ${offsets.join()}`,
    )
    await leave(AWAY)
    await proxy.close()
  })

  it('goes on with an upload that a reload broke off, when the same file is chosen again', async () => {
    const bytes = Buffer.concat([await smallPhoto(), Buffer.alloc(24 * MIB, 7)])
    const proxy = await startTcpProxy({ port: Number(new URL(door.url).port) })
    const { page, leave } = await visit(browser, `http://127.0.0.1:${proxy.port}`, { path: '/thumbnails' })
    const downloads = noteDownloads(page)
    await page.waitForSelector('#image', { state: 'attached' })
    const file = files.put('again.jpg', bytes)
    const passed = proxy.passed('up')
    const stalled = until('a good part has gone', () => proxy.passed('up') > passed + 12 * MIB).then(() =>
      proxy.stall('up'),
    )
    await page.setInputFiles('#image', file)
    await stalled
    await page.goto('about:blank')
    proxy.resume()
    await page.goto(`http://127.0.0.1:${proxy.port}/thumbnails`)
    await page.waitForSelector('text=Choose the same file again, and it goes on from there')
    await assertAccessible(page, 'an interrupted upload')
    const begun = await door.fixture.store.documents.list('uploads', { limit: 9, cursor: null })
    await page.setInputFiles('#image', file)
    await until('the zip is saved', () => downloads.length === 1)
    assert.ok((await unzip(await bytesOf(downloads[0] as never)))[0]?.bytes.equals(bytes))
    const ended = await door.fixture.store.documents.list('uploads', { limit: 9, cursor: null })
    assert.deepEqual(
      ended.documents.map(({ name }) => name),
      begun.documents.map(({ name }) => name),
    )
    await leave(AWAY)
    await proxy.close()
  })

  it('makes one task even if the answer to its submission is lost', async () => {
    const { page, leave } = await visit(browser, door.url, { path: '/thumbnails' })
    const downloads = noteDownloads(page)
    let lost = 0
    await page.route('**/api/tasks', async route => {
      if (route.request().method() !== 'POST' || lost > 0) return route.continue()
      lost += 1
      await route.fetch()
      await route.abort('connectionreset')
    })
    await page.setInputFiles('#image', files.put('c.jpg', await smallPhoto()))
    await until('the zip is saved', () => downloads.length === 1)
    assert.equal(lost, 1)
    assert.equal((await tasks()).length, 1)
    await leave(AWAY)
  })

  it('says in words what is wrong with a file, and what to do', async () => {
    const { page, leave } = await visit(browser, door.url, { path: '/thumbnails' })
    const sent: string[] = []
    page.on('request', request => {
      if (request.method() !== 'GET') sent.push(request.url())
    })
    await page.setInputFiles('#image', files.put('notes.txt', 'no picture'))
    await page.waitForSelector('text=notes.txt is none of JPEG, PNG')
    await page.setInputFiles('#image', {
      name: 'huge.png',
      mimeType: 'image/png',
      buffer: Buffer.alloc(1),
    })
    // a name says nothing of the bytes: these are of no type at all
    await page.waitForSelector('text=The params do not fit the schema of the kind.')
    assert.ok(sent.every(url => !url.includes('notes')))
    await page.setInputFiles('#image', files.put('renamed.jpg', 'a text that calls itself a picture'))
    await page.waitForSelector('.note.bad >> text=text/plain')
    await assertAccessible(page, 'a refused file')
    assert.equal((await tasks()).length, 0)
    const left = async () =>
      (await door.fixture.store.documents.list('uploads', { limit: 9, cursor: null })).documents
    await until('nothing of it stays', async () => (await left()).length === 0)
    const whole = await smallPhoto()
    await page.setInputFiles('#image', files.put('cut.jpg', whole.subarray(0, whole.length / 2)))
    await page.waitForSelector('.run >> text=FAILURE')
    await page.waitForSelector('.run >> text=IMAGE_BROKEN')
    await page.waitForSelector(
      'text=The file is cut off or damaged. Open it, save it anew, and choose it again.',
    )
    await assertAccessible(page, 'a task that failed')
    await page.click('text=Another image')
    await page.waitForSelector('#image', { state: 'attached' })
    assert.equal(page.url(), `${door.url}/thumbnails`)
    await leave(/status of 4\d\d/)
  })

  it('takes a dropped file, refuses sizes that are none, and cancels', async () => {
    const { page, leave } = await visit(browser, door.url, { path: '/thumbnails', colorScheme: 'dark' })
    await page.click('.quick summary')
    await page.fill('#sizes', '128 by 128')
    await page.waitForSelector('text=This is no size.')
    assert.equal(await page.isDisabled('#image'), true)
    await page.fill('#sizes', '64x64')
    await page.selectOption('#fit', 'cover')
    await page.selectOption('#format', 'png')
    door.worker.hold()
    const dropped = await page.evaluateHandle(
      bytes => {
        const Transfer = (
          globalThis as unknown as { DataTransfer: new () => { items: { add(file: File): void } } }
        ).DataTransfer
        const transfer = new Transfer()
        transfer.items.add(new File([new Uint8Array(bytes)], 'dropped.jpg', { type: 'image/jpeg' }))
        return transfer
      },
      [...(await smallPhoto())],
    )
    await page.dispatchEvent('.drop', 'drop', { dataTransfer: dropped })
    await page.waitForSelector('.run >> text=PENDING')
    const [task] = await tasks()
    assert.ok(task)
    const { image: _, ...options } = task.params as { image: object }
    assert.deepEqual(options, { sizes: [[64, 64]], fit: 'cover', format: 'png' })
    await page.click('.run >> text=Cancel')
    await page.waitForSelector('.run >> text=REVOKED')
    await page.waitForSelector('text=It was cancelled.')
    await assertAccessible(page, 'a cancelled task, dark')
    await page.click('.run >> text=Run it again')
    door.worker.release()
    await page.waitForSelector('.run >> text=SUCCESS')
    await leave(NO_LONGER_WAITS)
  })

  it('shows a viewer the page without its means, and says where the kind is missing or broken', async () => {
    const { page, leave } = await visit(browser, door.url, { path: '/thumbnails', name: 'viewer' })
    await page.waitForSelector('text=You may look, and change nothing.')
    assert.equal(await page.isDisabled('#image'), true)
    await assertAccessible(page, 'the page of a viewer')
    await page.route('**/api/kinds', async route => {
      const answer = await route.fetch()
      const list = (await answer.json()) as { kinds: { name: string }[]; trouble: object[] }
      const kinds = list.kinds.filter(({ name }) => name !== 'thumbnails')
      const trouble = [
        { name: 'thumbnails', file: 'thumbnails.ts', reason: 'it does not load', roles: ['worker'] },
      ]
      await route.fulfill({ response: answer, json: { ...list, kinds, trouble } })
    })
    await page.reload()
    await page.waitForSelector('text=The kind thumbnails cannot be used here.')
    await page.waitForSelector('text=thumbnails.ts: it does not load')
    await leave(NO_LONGER_WAITS)
    const bare = await openDashboardDoor()
    const other = await visit(browser, bare.url, { path: '/thumbnails' })
    await other.page.waitForSelector('text=The server has no such kind.')
    await assertAccessible(other.page, 'a kind that is missing')
    await other.page.goto(`${bare.url}/thumbnails?task=0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f`)
    await other.page.waitForSelector('text=The task is no longer there.')
    await other.leave(/status of 404/)
    await bare.close()
  })
})
