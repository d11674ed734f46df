// What the Redis store refuses at its start, each with a reason that says what to change; and what it leaves alone.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { isMadhavaError } from '../../../src/core/errors.ts'
import { start } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { connectRedis } from '../../../src/platform/redis.ts'
import { parseRedisUrl } from '../../../src/platform/redis-url.ts'
import { openRedisStore } from '../../../src/stores/redis/open.ts'
import { content } from '../../suites/documents.ts'
import { add, addEnded, at, keyed, read, take } from '../../suites/store/world.ts'
import { type PrivateRedis, type PrivateRedisOptions, startRedis } from '../../support/redis.ts'
import { requireService } from '../../support/services.ts'
import { placeOf } from '../../support/store-place.ts'

const clock = () => new Date()
const open = (url: string, prefix = 'test', patienceMs = 10_000): Promise<TaskStore> =>
  openRedisStore({ place: placeOf(url), prefix, clock, log: silentLog(), patienceMs })

const refusedWith = async (url: string, reason: RegExp, patienceMs?: number): Promise<void> => {
  const opened = open(url, 'test', patienceMs)
  await assert.rejects(opened, error => {
    assert.ok(isMadhavaError(error, 'STORE_UNAVAILABLE'), String(error))
    assert.match(error.message, reason)
    assert.doesNotMatch(error.message, /secret/)
    return true
  })
}

const withRedis = async (
  options: PrivateRedisOptions,
  body: (redis: PrivateRedis) => Promise<void>,
): Promise<void> => {
  const redis = await startRedis(options)
  try {
    await body(redis)
  } finally {
    await redis.remove()
  }
}
const as = (url: string, login: string): string => url.replace('://', `://${login}@`)

describe('the start of the Redis store', { skip: requireService('redis') }, () => {
  let redis: PrivateRedis
  before(async () => {
    redis = await startRedis()
  })
  after(() => redis?.remove())

  it('waits for a Redis that is not there yet, and says so when it does not come', async () => {
    await withRedis({}, async late => {
      await late.stop()
      await refusedWith(late.url, /nothing listens/, 300)
      const opening = open(late.url)
      await late.start()
      await (await opening).close()
    })
  })

  it('refuses a wrong password, and none, at once', async () => {
    await withRedis({ settings: { requirepass: 'secret' }, cliArgs: ['-a', 'secret'] }, async guarded => {
      const begun = performance.now()
      await refusedWith(guarded.url, /user name or password/)
      await refusedWith(as(guarded.url, ':secret-not'), /user name or password/)
      assert.ok(performance.now() - begun < 8_000, 'it did not wait')
      await (await open(as(guarded.url, ':secret'))).close()
    })
  })

  it('refuses an eviction policy that would lose tasks', async () => {
    for (const policy of ['allkeys-lru', 'volatile-ttl']) {
      await redis.cli('CONFIG', 'SET', 'maxmemory-policy', policy)
      await refusedWith(redis.url, new RegExp(`maxmemory-policy is ${policy} and must be noeviction`))
    }
    await redis.cli('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    await (await open(redis.url)).close()
  })

  it('names the commands that its user lacks, and the keys', async () => {
    await redis.cli(
      'ACL',
      'SETUSER',
      'ann',
      'on',
      '>secret',
      '~test:*',
      '+@all',
      '-xadd',
      '-zrange',
      '-xread',
      '-zrangebylex',
      '-zrank',
      '-zcount',
    )
    await refusedWith(
      as(redis.url, 'ann:secret'),
      /may not run xadd, xread, zcount, zrange, zrangebylex, zrank:/,
    )
    await redis.cli('ACL', 'SETUSER', 'ann', '+@all', '-evalsha')
    await refusedWith(as(redis.url, 'ann:secret'), /may not run evalsha/)
    await redis.cli('ACL', 'SETUSER', 'ann', '+evalsha', 'resetkeys', '~other:*')
    await refusedWith(as(redis.url, 'ann:secret'), /may not use the keys that begin with test:/)
  })

  it('needs no more than the commands that the docs list', async () => {
    const docs = await readFile(new URL('../../../docs/redis.md', import.meta.url), 'utf8')
    const [, rule] = /ACL SETUSER madhava on '>password' '~madhava:\*' (.+)/.exec(docs) ?? []
    assert.ok(rule)
    await redis.cli('ACL', 'SETUSER', 'bob', 'reset', 'on', '>secret', '~test:*', ...rule.trim().split(/\s+/))
    const store = await open(as(redis.url, 'bob:secret'))
    const { id } = await addEnded(store)
    await store.putBlob(id, 'x', Buffer.alloc(700_000))
    assert.equal(
      Buffer.concat((await (await store.getBlob(id, 'x'))?.stream.toArray()) ?? []).length,
      700_000,
    )
    await store.create(...keyed('k'))
    await store.claimNext(
      {
        kinds: ['adding'],
        now: at(5),
        limits: { adding: { maxConcurrency: 5, rate: { count: 1, perMs: 1000 } } },
      },
      start(store.instance, at(5)),
    )
    for await (const change of store.changes(await store.cursor(), AbortSignal.timeout(50))) assert.ok(change)
    await store.agenda(at(5), 10)
    await store.list({ statuses: ['PENDING'] }, { limit: 5, cursor: null })
    await store.counts()
    await store.line([await add(store)], { now: at(5), kinds: null, limits: new Map(), most: 10 })
    const { documents } = store
    const { rev } = await documents.put('accounts', 'a', content({}, { expiresAt: at(1) }), null)
    await documents.put('accounts', 'b', content(), 'any')
    assert.equal((await documents.get('accounts', 'a'))?.rev, rev)
    assert.equal((await documents.list('accounts', { limit: 1, cursor: 'a' })).documents.length, 1)
    await documents.remove('accounts', 'b', 'any')
    assert.equal(await documents.removeExpired(at(1)), 1)
    await store.remove(id)
    await store.check()
    await store.close()
    await redis.cli('FLUSHDB')
  })

  it('tries every command of its scripts, and the docs list each', async () => {
    const source = (name: string) => readFile(new URL(`../../../${name}`, import.meta.url), 'utf8')
    const folder = 'src/stores/redis/lua'
    const files = await readdir(new URL(`../../../${folder}`, import.meta.url))
    const scripts = (await Promise.all(files.map(file => source(`${folder}/${file}`)))).join('\n')
    const used = new Set([...scripts.matchAll(/\bcall\('([A-Z]+)'/g)].map(([, command]) => command ?? ''))
    assert.ok(used.size > 30)
    const [startup, docs] = [await source('src/stores/redis/startup.ts'), await source('docs/redis.md')]
    assert.deepEqual(
      [...used].filter(command => !startup.includes(`{ '${command}'`)),
      [],
      'not tried',
    )
    const listed = /ACL SETUSER madhava .+/.exec(docs)?.[0].split(/\s+/) ?? []
    assert.deepEqual(
      [...used].filter(command => !listed.includes(`+${command.toLowerCase()}`)),
      [],
      'not in the docs',
    )
  })

  it('refuses a replica, and a database that the server does not have', async () => {
    await withRedis({ settings: { replicaof: `127.0.0.1 ${redis.port}` } }, async replica => {
      await refusedWith(replica.url, /read-only replica/)
    })
    await refusedWith(`${redis.url}/99`, /no database of the number/)
  })

  it('refuses tasks of a format that it does not know', async () => {
    await redis.cli('HSET', 'test:about', 'format', '99', 'epoch', 'x')
    await refusedWith(redis.url, /format 99/)
    await redis.cli('FLUSHDB')
  })

  it('speaks TLS, and refuses a certificate that it does not know', async () => {
    await withRedis({}, async files => {
      const [key, cert] = ['key.pem', 'cert.pem'].map(name => path.join(files.dir, name))
      execFileSync(
        'openssl',
        ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'].concat(
          ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
          ['-keyout', key ?? '', '-out', cert ?? ''],
        ),
        { stdio: 'ignore' },
      )
      const settings = {
        'tls-port': '',
        'tls-cert-file': cert ?? '',
        'tls-key-file': key ?? '',
        'tls-ca-cert-file': cert ?? '',
        'tls-auth-clients': 'no',
      }
      const cliArgs = ['--tls', '--cacert', cert ?? '']
      await withRedis({ settings, cliArgs }, async guarded => {
        await refusedWith(guarded.url, /certificate of Redis is not trusted/, 500)
        await refusedWith(guarded.url.replace('rediss', 'redis'), /./, 500)
        // given up in the middle of a handshake, which then fails twice: a failure that nobody hears would end us here
        const place = parseRedisUrl(guarded.url)
        assert.ok(place)
        for (let round = 0; round < 100; round += 1)
          await Promise.all(
            Array.from({ length: 4 }, async (_, n) => {
              const connection = connectRedis(place, 'test')
              await connection.ready(2 * n + 1).catch(() => {})
              connection.close()
            }),
          )
        // Node reads the file of further certificates when a process begins
        const program = `
          import { openRedisStore } from ${JSON.stringify(new URL('../../../src/stores/redis/open.ts', import.meta.url).href)}
          import { parseRedisUrl } from ${JSON.stringify(new URL('../../../src/platform/redis-url.ts', import.meta.url).href)}
          import { silentLog } from ${JSON.stringify(new URL('../../../src/platform/log.ts', import.meta.url).href)}
          const place = parseRedisUrl(${JSON.stringify(guarded.url)})
          const store = await openRedisStore({ place, prefix: 'test', clock: () => new Date(), log: silentLog() })
          await store.check()
          await store.close()
          console.log('spoken')
        `
        const { NODE_TEST_CONTEXT: _, ...env } = process.env
        const said = execFileSync(
          process.execPath,
          ['--import', 'tsx', '--input-type=module', '-e', program],
          {
            env: { ...env, NODE_EXTRA_CA_CERTS: cert },
            encoding: 'utf8',
          },
        )
        assert.equal(said, 'spoken\n')
      })
    })
  })

  it('leaves the keys of other programs alone, and other prefixes', async () => {
    await redis.cli('SET', 'created', 'not ours')
    await redis.cli('SET', 'test', 'not ours')
    await redis.cli('LPUSH', 'testing:task:1', 'not ours')
    await redis.cli('ZADD', 'other:ready:adding', '1', 'x')
    const [store, apart] = [await open(redis.url), await open(redis.url, 'test2')]
    const { id } = await addEnded(store)
    await add(apart)
    assert.deepEqual([(await store.counts()).total, (await apart.counts()).total], [1, 1])
    await store.retain({ finishedBefore: null, maxCount: 0, maxBytes: null })
    assert.equal(await store.get(id), null)
    assert.equal(await redis.cli('GET', 'created'), 'not ours')
    assert.equal(await redis.cli('GET', 'test'), 'not ours')
    assert.equal(await redis.cli('LRANGE', 'testing:task:1', '0', '-1'), 'not ours')
    assert.equal(await redis.cli('ZCARD', 'other:ready:adding'), '1')
    const ours = (await redis.cli('--scan')).split('\n').filter(key => !/^test2?:/.test(key))
    assert.deepEqual(ours.toSorted(), ['created', 'other:ready:adding', 'test', 'testing:task:1'])
    await Promise.all([store.close(), apart.close()])
    await redis.cli('FLUSHDB')
  })

  it('keeps records that a person can read, and goes on when the scripts are forgotten', async () => {
    const store = await open(redis.url)
    const { id } = await add(store, { title: 'ü' })
    await take(store, id)
    assert.deepEqual(JSON.parse(await redis.cli('GET', `test:task:${id}`)), await read(store, id))
    await redis.cli('SCRIPT', 'FLUSH')
    const more = await Promise.all(Array.from({ length: 20 }, () => add(store)))
    assert.equal((await store.counts()).total, 21)
    assert.equal(await redis.cli('ZCARD', 'test:in:adding:PENDING'), String(more.length))
    await store.close()
    await redis.cli('FLUSHDB')
  })
})
