// XML-RPC: what is read and refused, and the methods as a client of supervisord calls them.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { MadhavaError } from '../../src/core/errors.ts'
import type { ProcessRow } from '../../src/dashboard/processes/processes.ts'
import { readCall, type Value, writeAnswer } from '../../src/dashboard/xml-rpc/message.ts'
import { escapeXml, parseXml, XML_LIMITS, XmlError } from '../../src/dashboard/xml-rpc/xml.ts'
import { basic, createDashboardFixture, noProcesses, PASSWORDS } from './fixture.ts'

const callOf = (method: string, ...params: string[]): string =>
  `<?xml version='1.0'?>\n<methodCall><methodName>${method}</methodName><params>${params
    .map(param => `<param>${param}</param>`)
    .join('')}</params></methodCall>`
const text = (value: string): string => `<value><string>${escapeXml(value)}</string></value>`
const int = (value: number): string => `<value><int>${value}</int></value>`

describe('the XML of XML-RPC', () => {
  it('reads every type of a value', () => {
    const struct =
      '<value><struct><member><name>__proto__</name><value><i4>1</i4></value></member></struct></value>'
    const array = '<value><array><data><value>plain</value><value><nil/></value></data></array></value>'
    const { method, params } = readCall(
      callOf('a.b', text('<&>"\u00e9'), int(-5), '<value><boolean>1</boolean></value>', array, struct),
    )
    assert.equal(method, 'a.b')
    assert.deepEqual(params.slice(0, 4), ['<&>"é', -5, true, ['plain', null]])
    assert.deepEqual(Object.entries(params[4] as object), [['__proto__', 1]])
    assert.equal(({} as Record<string, unknown>).polluted, undefined)
    assert.deepEqual(readCall('<methodCall><methodName>x</methodName></methodCall>').params, [])
    assert.deepEqual(readCall(callOf('x', '<value><double>-1.5e3</double></value>')).params, [-1500])
  })

  it('refuses whatever could be expanded, loaded or hidden', () => {
    const inside = callOf('x', text('y'))
    for (const wrong of [
      `<!DOCTYPE a [<!ENTITY b "c">]>${inside}`,
      inside.replace('y', '&b;'),
      inside.replace('y', '&constructor;'),
      inside.replace('y', '&#0;'),
      inside.replace('y', '&#xD800;'),
      inside.replace('y', '&'),
      inside.replace('<string>', '<string a="b">'),
      `${inside}<!-- comment -->`,
      inside.replace('y', '<![CDATA[y]]>'),
      `${inside}<?php ?>`,
      `${inside}${inside}`,
      `${inside}x`,
      inside.replace('</params>', ''),
      inside.replace('</string>', '</int>'),
      '',
      'x',
      '<a',
      '</a>',
      '<a/>',
      callOf('x', '<value><date>1</date></value>'),
      callOf('x', '<value><constructor>1</constructor></value>'),
      callOf('x', '<value><int>99999999999999999999</int></value>'),
      callOf('x', '<value><int>1e3</int></value>'),
      callOf('x', '<value><boolean>yes</boolean></value>'),
    ])
      assert.throws(() => readCall(wrong), XmlError, wrong)
  })

  it('is bounded in size, depth and number', () => {
    const depth = XML_LIMITS.depth + 1
    assert.throws(() => parseXml(`${'<a>'.repeat(depth)}${'</a>'.repeat(depth)}`), XmlError)
    assert.throws(() => parseXml(`<a>${' '.repeat(XML_LIMITS.characters)}</a>`), XmlError)
    assert.throws(() => parseXml(`<a>${'<b/>'.repeat(XML_LIMITS.elements + 1)}</a>`), XmlError)
  })

  it('never fails in any other way, and reads back what it writes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), written => {
        try {
          readCall(written)
        } catch (error) {
          assert.ok(error instanceof XmlError)
        }
        const back = readCall(callOf('x', text(written))).params[0]
        assert.equal(back, String(back))
        assert.ok([...String(back)].every(one => one >= ' ' || '\t\n\r'.includes(one)))
      }),
    )
    const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>(tie => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'grapheme-ascii' }),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string({ unit: 'grapheme-ascii' }), tie('value'), {
          maxKeys: 4,
          noNullPrototype: true,
        }),
      ),
    })).value
    fc.assert(
      fc.property(value, given => {
        const answer = writeAnswer(given)
        const whole = answer.slice(answer.indexOf('<value>'), answer.lastIndexOf('</param>'))
        assert.deepEqual(readCall(callOf('x', whole)).params[0], given)
      }),
      { numRuns: 50 },
    )
  })
})

describe('the methods of supervisord', { timeout: 300_000 }, () => {
  let door: Awaited<ReturnType<typeof createDashboardFixture>>
  let rows: ProcessRow[]
  let failure: MadhavaError | null
  let file: string | null
  const row = (name: string, more: Partial<ProcessRow> = {}): ProcessRow => ({
    name,
    pmId: name.length,
    state: 'online',
    pid: 77,
    uptimeMs: 90_061_000,
    restarts: 0,
    cpuPercent: 0,
    memoryBytes: 0,
    isDashboard: false,
    ready: true,
    ...more,
  })

  beforeEach(async () => {
    rows = [row('api'), row('worker', { state: 'stopped', pid: null, uptimeMs: null, ready: false })]
    failure = null
    file = null
    const change = (state: string, name: string | null) => {
      if (failure) throw failure
      const isHit = (one: ProcessRow): boolean => name === null || one.name === name
      const running = state === 'online'
      rows = rows.map(one =>
        isHit(one) ? { ...one, state, pid: running ? (one.pid ?? 88) : null, ready: running } : one,
      )
      return { outcome: 'done' as const }
    }
    door = await createDashboardFixture({
      processes: noProcesses({
        list: async () => {
          if (failure?.code === 'SUPERVISOR_UNAVAILABLE') throw failure
          return rows
        },
        act: async (action, name) => change(action === 'stop' ? 'stopped' : 'online', name),
        actAll: async action => change(action === 'stop' ? 'stopped' : 'online', null),
        logFile: async name => {
          if (!rows.some(one => one.name === name)) throw new MadhavaError('NOT_FOUND')
          return file
        },
      }),
    })
  })
  afterEach(() => door.close())

  const send = (body: string, headers: Record<string, string> = basic('operator', PASSWORDS.operator)) =>
    door.post('/RPC2', body, { 'content-type': 'text/xml', ...headers })
  /** The text of the answer's value or fault. */
  const call = async (method: string, ...params: string[]): Promise<string> => {
    const answer = await send(callOf(method, ...params))
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'text/xml'])
    const body = await answer.text()
    const fault = /<name>faultCode<\/name><value><int>(\d+)/.exec(body)?.[1]
    return fault === undefined ? body : `fault ${fault}`
  }

  it('say which version they are of, and which there are', async () => {
    assert.match(await call('supervisor.getVersion'), /<string>3\.0</)
    assert.match(await call('supervisor.getAPIVersion'), /<string>3\.0</)
    assert.match(await call('supervisor.getState'), /<int>1<.*RUNNING/)
    assert.match(await call('supervisor.getIdentification'), /madhava/)
    assert.match(await call('system.listMethods'), /supervisor\.tailProcessStderrLog/)
    assert.equal(await call('supervisor.shutdown'), 'fault 1')
    assert.equal(await call('supervisor.getProcessInfo'), 'fault 2')
    failure = new MadhavaError('SUPERVISOR_UNAVAILABLE')
    assert.match(await call('supervisor.getState'), /<int>2<.*FATAL/)
    assert.equal(await call('supervisor.getAllProcessInfo'), 'fault 30')
    assert.equal(await call('supervisor.startProcess', text('worker')), 'fault 30')
  })

  it('tell of a process in the words of supervisord, and no path', async () => {
    file = '/secret/api.log'
    const info = await call('supervisor.getProcessInfo', text('api:api'))
    assert.match(info, /<name>statename<\/name><value><string>RUNNING/)
    assert.match(info, /pid 77, uptime 1 day, 1:01:01/)
    assert.doesNotMatch(info, /secret/)
    rows = [row('api', { ready: false }), row('worker', { state: 'waiting restart', pid: null })]
    const all = await call('supervisor.getAllProcessInfo')
    assert.match(all, /STARTING.*BACKOFF/)
    assert.equal(await call('supervisor.getProcessInfo', text('nobody')), 'fault 10')
  })

  it('start and stop with the faults of supervisord', async () => {
    assert.equal(await call('supervisor.startProcess', text('api')), 'fault 60')
    assert.equal(await call('supervisor.stopProcess', text('worker')), 'fault 70')
    assert.equal(await call('supervisor.startProcess', text('nobody')), 'fault 10')
    assert.match(await call('supervisor.startProcess', text('worker')), /<boolean>1</)
    assert.match(await call('supervisor.stopProcess', text('worker:worker')), /<boolean>1</)
    assert.match(await call('supervisor.startProcessGroup', text('worker:*')), /<int>80<.*<string>OK/)
    assert.match(await call('supervisor.stopAllProcesses'), /api.*<int>80<.*worker/)
    failure = new MadhavaError('SUPERVISOR_REFUSED', 'no')
    assert.equal(await call('supervisor.startProcess', text('worker')), 'fault 50')
    failure = new MadhavaError('DASHBOARD_STAYS')
    rows = [row('api')]
    assert.equal(await call('supervisor.stopProcess', text('api')), 'fault 30')
  })

  it('do several calls in one, of which each has its own answer, and none within another', async () => {
    const entry = (method: string, ...params: string[]): string =>
      `<value><struct><member><name>methodName</name>${text(method)}</member><member><name>params</name><value><array><data>${params.join('')}</data></array></value></member></struct></value>`
    const calls = [
      entry('supervisor.getVersion'),
      entry('supervisor.getProcessInfo', text('nobody')),
      entry('system.multicall'),
      entry('supervisor.startProcess', text('worker')),
    ].join('')
    const array = `<value><array><data>${calls}</data></array></value>`
    const answer = await (await send(callOf('system.multicall', array))).text()
    assert.match(answer, /<array><data><value><string>3\.0.*<int>10<.*<int>2<.*<boolean>1</s)
    // a viewer's calls are weighed one by one
    const viewer = await send(callOf('system.multicall', array), basic('viewer', PASSWORDS.viewer))
    assert.match(await viewer.text(), /3\.0.*<int>30</s)
  })

  it('read logs by bytes, from the beginning, from the end and behind a place, and clear them', async () => {
    assert.equal(await call('supervisor.readProcessStdoutLog', text('api'), int(0), int(0)), 'fault 20')
    file = path.join(door.folder, 'api.log')
    await writeFile(file, 'one\n\u001b[31mtwo\u001b[0m\u0007 & <b>\n')
    const read = async (kind: string, offset: number, length: number): Promise<string> =>
      (await call(`supervisor.${kind}`, text('api'), int(offset), int(length))).replace(
        /^.*<params>|<\/params>.*$/gs,
        '',
      )
    assert.match(await read('readProcessStdoutLog', 0, 3), /<string>one<\/string>/)
    assert.match(await read('readProcessStderrLog', 0, 0), /<string>one\ntwo␇ &amp; &lt;b&gt;\n<\/string>/)
    assert.match(await read('readProcessLog', -4, 0), /<string>&lt;b&gt;\n<\/string>/)
    assert.equal(await call('supervisor.readProcessStdoutLog', text('api'), int(-5), int(3)), 'fault 3')
    assert.match(await read('tailProcessStdoutLog', 0, 4), /&lt;b&gt;\n<.*<int>24<.*<boolean>1</s)
    assert.match(await read('tailProcessStdoutLog', 4, 1000), /<string>two.*<boolean>0</s)
    assert.match(await call('supervisor.clearProcessLogs', text('api')), /<boolean>1</)
    assert.match(await read('readProcessStdoutLog', 0, 0), /<string><\/string>/)
  })

  it('need a login, and a right for what changes something', async () => {
    const refused = await send(callOf('supervisor.getState'), { 'user-agent': 'xmlrpc' })
    assert.equal(refused.status, 401)
    assert.match(refused.headers.get('www-authenticate') ?? '', /^Basic realm="Madhava"/)
    const browser = await send(callOf('supervisor.getState'), { 'user-agent': 'Mozilla/5.0' })
    assert.deepEqual([browser.status, browser.headers.get('www-authenticate')], [401, null])
    const viewer = basic('viewer', PASSWORDS.viewer)
    assert.equal((await send(callOf('supervisor.getAllProcessInfo'), viewer)).status, 200)
    for (const method of ['startProcess', 'stopProcess', 'clearProcessLogs', 'stopAllProcesses'])
      assert.equal((await send(callOf(`supervisor.${method}`, text('api')), viewer)).status, 403, method)
    const foreign = { ...basic('operator', PASSWORDS.operator), origin: 'http://evil.example' }
    assert.equal((await send(callOf('supervisor.getState'), foreign)).status, 403)
    const { cookie } = await door.enter('operator')
    assert.equal((await send(callOf('supervisor.getState'), { cookie })).status, 403, 'no token')
    assert.equal((await send('<!DOCTYPE a>')).status, 400)
    assert.equal((await send(`<a>${'x'.repeat(70_000)}</a>`)).status, 413)
  })

  it('follow a log in pieces, and end when nobody reads any more', async () => {
    file = path.join(door.folder, 'tail.log')
    await writeFile(file, 'first\n\u001b[2Jsecond\n')
    const viewer = basic('viewer', PASSWORDS.viewer)
    for (const where of ['/logtail/api/stdin', '/logtail/nobody/stdout', '/logtail/api/__proto__'])
      assert.equal((await door.get(where, viewer)).status, 404, where)
    assert.equal((await door.get('/logtail/api/stdout')).status, 401)
    // more, one after the other, than may be open at a time
    for (let count = 0; count < 40; count++) {
      const answer = await door.get('/logtail/api:api/stdout', viewer)
      assert.equal(answer.status, 200)
      const reader = answer.body?.getReader()
      const { value } = (await reader?.read()) ?? {}
      assert.equal(Buffer.from(value ?? []).toString(), 'first\n␛[2Jsecond\n')
      await reader?.cancel()
    }
  })
})
