// The example report in a worker: a page of its own, whatever is in the rows.
import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { parse } from 'parse5'
import { artifactsOf } from '../../src/core/artifacts.ts'
import type { Json } from '../../src/core/task.ts'
import { openPool } from '../worker/runner-fixture.ts'
import { startWorker } from './around.ts'

const threads = openPool(1)
after(() => threads.close())

interface Node {
  nodeName: string
  value?: string
  attrs?: { name: string }[]
  childNodes?: Node[]
}
const all = (node: Node): Node[] => [node, ...(node.childNodes ?? []).flatMap(all)]
const textOf = (node: Node): string =>
  all(node)
    .map(({ value }) => value ?? '')
    .join('')
const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "'--></td></table><!--",
  '&lt;b&gt;',
  '</title></style><svg/onload=1>',
  ']]>',
]

describe('the example report', { timeout: 300_000 }, () => {
  it('shows hostile texts as texts, and holds no tag of theirs', async t => {
    const world = await startWorker(t, threads)
    const page = async (params: Json): Promise<string> => {
      const id = await world.submit('report', params)
      await world.attempt()
      const { status, result, error, ...task } = await world.get(id)
      assert.deepEqual([status, error], ['SUCCESS', null])
      const [artifact] = artifactsOf(task)
      assert.deepEqual([artifact?.name, artifact?.type], ['report.html', 'text/html'])
      assert.equal((result as { rows: number }).rows, (params as { rows: unknown[] }).rows.length)
      const blob = await world.client.getBlob(id, artifact?.file ?? '')
      return (await buffer(blob?.stream ?? assert.fail('no bytes'))).toString()
    }
    // a parser takes CR for LF, and NUL for an error, wherever they stand
    const text = fc.oneof(
      fc.constantFrom(...HOSTILE),
      fc.string().map(some => some.replace(/[\0\r]/g, '')),
    )
    const texts = fc.array(text, { minLength: 2, maxLength: 2 })
    await fc.assert(
      fc.asyncProperty(text, texts, fc.array(texts, { maxLength: 5 }), async (given, columns, rows) => {
        const title = `T${given}`
        const nodes = all(parse(await page({ title, columns, rows })) as unknown as Node)
        const named = (name: string): Node[] => nodes.filter(({ nodeName }) => nodeName === name)
        assert.deepEqual(
          [...new Set(nodes.map(({ nodeName }) => nodeName))].filter(
            name =>
              ![
                '#document',
                '#documentType',
                '#text',
                'html',
                'head',
                'meta',
                'title',
                'style',
                'body',
                'h1',
              ].includes(name) && !['table', 'thead', 'tbody', 'tr', 'th', 'td'].includes(name),
          ),
          [],
        )
        assert.ok(nodes.every(({ nodeName, attrs = [] }) => attrs.length === 0 || nodeName === 'meta'))
        assert.equal(textOf(named('h1')[0] ?? assert.fail('no title')), title)
        assert.deepEqual(named('th').map(textOf), columns)
        assert.deepEqual(named('td').map(textOf), rows.flat())
      }),
      { numRuns: 60 },
    )
  })

  it('writes numbers, nothing for what is missing, and no more than the columns', async t => {
    const world = await startWorker(t, threads)
    const id = await world.submit('report', {
      title: 'T',
      columns: ['a', 'b'],
      rows: [[1.5, null, 3], ['x']],
    })
    await world.attempt()
    const [artifact] = artifactsOf(await world.get(id))
    const blob = await world.client.getBlob(id, artifact?.file ?? '')
    const page = (await buffer(blob?.stream ?? assert.fail('no bytes'))).toString()
    assert.match(page, /<tr><td>1.5<\/td><td><\/td><\/tr>\n<tr><td>x<\/td><td><\/td><\/tr>/)
  })
})
