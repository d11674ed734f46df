// SIGKILL in the middle of every kind of write: what was acknowledged stays, and nothing is left torn.

import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { start, succeed, takeOver } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { compareVersions, isFinal, type TaskRecord, taskSchema } from '../../../src/core/task.ts'
import { type Child, startChild } from '../../support/child.ts'
import { generator, newSeed } from '../../support/generator.ts'
import type { Version } from '../../support/store-roles.ts'
import { blobOf, OLD, type WriteLine } from '../../support/store-writes.ts'
import { until } from '../../support/until.ts'
import { SAMPLE } from '../store/sample.ts'
import { at, type Check, caughtUp, type Follower, follow, keyed, read } from '../store/world.ts'
import type { ProcessWorld } from '../store-processes.ts'

type Done<Name extends string> = Extract<WriteLine, { done: Name }>
const done = <Name extends string>(lines: readonly WriteLine[], name: Name): Done<Name>[] =>
  lines.filter((line): line is Done<Name> => 'done' in line && line.done === name)

/** What was told, by process, and how long each victim was let live, milliseconds. */
interface Story {
  told: (readonly WriteLine[])[]
  lives: number[]
}

/** Two processes write at any time, one of them is killed, until enough have been. */
const killMany = async (world: ProcessWorld, random: () => number): Promise<Story> => {
  const begin = () => startChild<WriteLine>('store-child.ts', { place: world.place, role: 'writes' })
  const writing = (child: Child<WriteLine>) => child.line(line => 'ready' in line)
  const children = [begin(), begin()]
  const story: Story = { told: [], lives: [] }
  try {
    for (let kill = 0; kill < SAMPLE.kills; kill += 1) {
      const next = begin()
      children.push(next)
      const victim = children[0]
      assert.ok(victim)
      await writing(victim)
      // not before it has written something of every kind, then at a moment that nobody chose
      await victim.line(line => 'done' in line && line.done === 'retain')
      const life = random() * SAMPLE.life
      story.lives.push(Math.round(life))
      story.told.push(victim.lines)
      await delay(life)
      await victim.kill()
      children.shift()
    }
  } finally {
    await Promise.all(children.map(child => child.kill()))
  }
  for (const child of children) story.told.push(child.lines)
  return story
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
/** The error, with all that was told of the tasks that it names. */
const explained = (error: unknown, seed: number, { told, lives }: Story): Error => {
  const ids = [...new Set(String(error).match(UUID))]
  const history = told.flatMap((lines, process) =>
    lines
      .map(line => JSON.stringify(line))
      .filter(line => ids.some(id => line.includes(id)))
      .map(line => `process ${process}: ${line}`),
  )
  const head = `seed ${seed}, victims lived ${lives.join(', ')} ms: ${error}`
  return new Error([head, ...history].join('\n'), { cause: error })
}

const everything = async (store: TaskStore): Promise<TaskRecord[]> => {
  const tasks: TaskRecord[] = []
  let cursor: string | null = null
  do {
    const page = await store.list({}, { limit: 500, cursor })
    tasks.push(...page.tasks)
    cursor = page.next
  } while (cursor !== null)
  return tasks
}

/** Every record is whole, and list, get and counts agree. */
const consistent = async (store: TaskStore): Promise<Map<string, TaskRecord>> => {
  const tasks = await everything(store)
  for (const task of tasks) {
    assert.ok(taskSchema.safeParse(task).success)
    assert.deepEqual(await store.get(task.id), task)
  }
  const byId = new Map(tasks.map(task => [task.id, task]))
  assert.equal(byId.size, tasks.length)
  const counts = await store.counts()
  assert.equal(counts.total, tasks.length)
  for (const [status, count] of Object.entries(counts.byStatus))
    assert.equal(count, tasks.filter(task => task.status === status).length, `count of ${status}`)
  return byId
}

const checkVersions = (
  lines: readonly WriteLine[],
  tasks: Map<string, TaskRecord>,
  gone: Set<string>,
): void => {
  const written = new Set<string>()
  for (const line of [...done(lines, 'begin'), ...done(lines, 'write')]) {
    const [id, claim, rev, status]: Version = line.version
    const name = `${id} ${claim} ${rev}`
    assert.ok(!written.has(name), `(claim, rev) (${claim}, ${rev}) of ${id} was written twice`)
    written.add(name)
    const task = tasks.get(id)
    if (!task) assert.ok(gone.has(id), `${id} was moved to ${status} and is not there`)
    else if (line.done === 'write')
      assert.ok(compareVersions({ claim, rev }, task) <= 0, `a write to ${status} of ${id} is lost`)
    if (task && isFinal(task.status) && compareVersions({ claim, rev }, task) === 0)
      assert.equal(task.status, status)
    if (task && status === 'SUCCESS') assert.equal(task.status, status)
  }
}

const checkBlobs = async (store: TaskStore, lines: readonly WriteLine[], tasks: Map<string, TaskRecord>) => {
  const meant = new Map<string, { id: string; name: string; from: number; to: number }>()
  for (const line of lines) {
    const kind = 'will' in line ? line.will : 'done' in line ? line.done : ''
    if (kind !== 'blob' || !('name' in line)) continue
    const key = `${line.id} ${line.name}`
    const blob = meant.get(key) ?? { id: line.id, name: line.name, from: 0, to: 0 }
    if ('will' in line) blob.to = line.n
    else blob.from = line.n
    meant.set(key, blob)
  }
  for (const { id, name, from, to } of meant.values()) {
    const blob = await store.getBlob(id, name)
    if (!tasks.has(id)) {
      assert.equal(blob, null, `a blob without its task, ${id}`)
      assert.deepEqual(await store.listBlobs(id), [])
      continue
    }
    const bytes = blob && Buffer.concat(await blob.stream.toArray())
    const fits = (n: number) => (n === 0 ? bytes === null : bytes !== null && blobOf(n).equals(bytes))
    const found =
      bytes === null ? 'not there' : `${bytes.length} bytes, of ${[...new Set(bytes)].join(' and ')}`
    assert.ok(
      fits(from) || fits(to),
      `the blob ${name} of ${id} is neither version ${from} nor ${to}: it is ${found}`,
    )
    const listed = (await store.listBlobs(id)).find(info => info.name === name)
    assert.equal(listed?.bytes, bytes?.length)
  }
}

/** What was left behind is taken over and comes to an end. */
const finishAll = async (store: TaskStore): Promise<void> => {
  const now = at(2000)
  await until('no task is orphaned', async () => {
    for (const id of (await store.agenda(now, 10)).orphaned) await store.claim(id, takeOver(now))
    return (await store.agenda(now, 10)).orphaned.length === 0
  })
  const kinds = ['kept', 'shared', 'revoked', 'removed', 'old']
  for (;;) {
    const task = await store.claimNext({ kinds, now }, start(store.instance, now))
    if (!task) break
    assert.equal(task.revokeRequestedAt, null, 'a task that was to be cancelled was started')
    await store.move(task.id, task.claim, succeed('after', null, now))
  }
  for (const task of await everything(store)) assert.ok(isFinal(task.status), `${task.id} is ${task.status}`)
}

/** `follower` has read the feed since before the first write. */
const checkAll = async (
  world: ProcessWorld,
  store: TaskStore,
  follower: Follower,
  lines: readonly WriteLine[],
): Promise<void> => {
  const afresh = await world.open()
  // the sweeper's look finds what the dead wrote and had no time to announce
  for (const each of [afresh, store]) await each.agenda(at(2000), 10)
  const tasks = await consistent(afresh)
  assert.deepEqual(await consistent(store), tasks)

  const mayBeGone = new Set<string>()
  for (const line of lines) {
    if ('will' in line && line.will === 'remove') mayBeGone.add(line.id)
    if ('will' in line && line.will === 'retain') for (const id of line.ids) mayBeGone.add(id)
  }
  for (const { id } of done(lines, 'create'))
    assert.ok(tasks.has(id) || mayBeGone.has(id), `a task that was created is lost: ${id}`)
  for (const { id } of done(lines, 'remove')) assert.ok(!tasks.has(id), `a removed task came back: ${id}`)
  for (const { ids } of done(lines, 'retain'))
    for (const id of ids) assert.ok(!tasks.has(id), `a task came back after retention: ${id}`)
  checkVersions(lines, tasks, mayBeGone)
  await checkBlobs(afresh, lines, tasks)
  for (const { id, outcome } of done(lines, 'revoke')) {
    const task = tasks.get(id)
    assert.ok(task)
    if (outcome === 'revoked') assert.equal(task.status, 'REVOKED')
    else assert.ok(task.revokeRequestedAt !== null, `the cancel request for ${id} is lost`)
  }

  await finishAll(afresh)
  for (const { version } of done(lines, 'begin')) {
    const [id, claim]: Version = version
    const task = await afresh.get(id)
    assert.ok(!task || task.claim >= claim, `a claim number of ${id} was used twice`)
  }
  for (const { id } of done(lines, 'revoke')) assert.equal((await read(store, id)).status, 'REVOKED')
  for (const { id, key } of done(lines, 'create').slice(-50)) {
    if (key === null || mayBeGone.has(id)) continue
    const answer = await afresh.create(...keyed(key, key))
    assert.deepEqual([answer.created, answer.task.id], [false, id])
  }

  await caughtUp(follower, store, [...tasks.keys()].slice(0, 200))
  await follower.stop()
  await afresh.retain({ finishedBefore: OLD, maxCount: 10, maxBytes: null })
  assert.equal((await store.counts()).total, 10)
  await consistent(store)
}

export const kills = (check: Check<ProcessWorld>): void => {
  check(
    'after SIGKILL at any moment all that was acknowledged is there, and the rest is whole or absent',
    async world => {
      const seed = newSeed()
      const store = await world.open()
      const follower = follow(store, await store.cursor())
      const story = await killMany(world, generator(seed))
      try {
        await checkAll(world, store, follower, story.told.flat())
      } catch (error) {
        throw explained(error, seed, story)
      }
    },
  )
}
