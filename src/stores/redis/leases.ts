// Who is alive: every store beats, by Redis's clock, and is dead a lease after its last beat; sooner when a process of
// the same host is provably gone. It tells Redis of the dead, and others what Redis says.
import type { Presence, PresenceDetails, SeenPresence } from '../../core/store.ts'
import { isProvedGone, type ProcessName, thisProcess } from '../../platform/process-proof.ts'
import type { Scripts } from './scripts.ts'

const BEAT_MS = 2_000

export interface Leases {
  /** The first beat: from here on this instance counts as alive. */
  begin(): Promise<void>
  beat(): Promise<void>
  /** A beat between the others, which draws no conclusions: those rest on the time from one to the next. */
  showAlive(): Promise<void>
  announce(presence: { role: string; details: () => PresenceDetails }): Promise<void>
  presences(): Promise<SeenPresence[]>
  /** Whether the process behind an instance is provably gone; if so, Redis knows it now. */
  buryIfGone(instance: string, name: string): Promise<boolean>
  /** Looks at all processes of this host; how many were gone. */
  buryTheDead(): Promise<number>
  /** Takes the presence away; what is held is free. Idempotent. */
  leave(): Promise<void>
  /** Ends the beat, and says nothing to anybody. */
  stop(): void
}

interface LeasesDeps {
  scripts: Scripts
  instance: string
  host: string
  clock: () => Date
  /** `processes`: what is known of each instance's process. */
  processes: () => Promise<Record<string, string>>
  /** After each beat: Redis's time, how long the answer took, and how many tasks it has as held here. */
  onBeat: (beat: { serverMs: number; tookMs: number; held: number }) => void
  onMissed: (error: unknown) => void
}

const parseName = (text: string): ProcessName | null => {
  try {
    const { space, pid, startedTicks } = JSON.parse(text) as ProcessName
    return { space, pid, startedTicks }
  } catch {
    return null
  }
}

const isGone = (text: string): boolean => {
  const name = parseName(text)
  return name !== null && isProvedGone(name, thisProcess())
}

/** All presences, with Redis's verdict, or our own where a process of this host is provably gone. */
export const readPresences = async (scripts: Scripts): Promise<SeenPresence[]> => {
  type Row = [instance: string, said: string, beatMs: string, alive: number, name: string]
  const [, ...rows] = await scripts.run<[number, ...Row[]]>('presences')
  return rows
    .map(([who, text, beatMs, alive, name]) => ({
      ...(JSON.parse(text) as Omit<Presence, 'beatAt'>),
      instance: who,
      beatAt: new Date(Number(beatMs)).toISOString(),
      alive: alive === 1 && !isGone(name),
    }))
    .sort((a, b) => (a.role + a.startedAt < b.role + b.startedAt ? -1 : 1))
}

export const createLeases = (deps: LeasesDeps): Leases => {
  const { scripts, instance, host, clock, processes, onBeat, onMissed } = deps
  const myName = JSON.stringify(thisProcess())
  const startedAt = clock().toISOString()
  let said: { role: string; details: () => PresenceDetails } | null = null
  let timer: NodeJS.Timeout | null = null
  let left = false
  let beating = false

  const send = async (): Promise<Parameters<LeasesDeps['onBeat']>[0] | null> => {
    if (left) return null
    const presence: Omit<Presence, 'beatAt'> | null = said && {
      instance,
      role: said.role,
      host,
      pid: process.pid,
      startedAt,
      details: said.details(),
    }
    const sentAt = performance.now()
    const [serverMs, held] = await scripts.run<[number, number]>(
      'beat',
      instance,
      myName,
      presence ? JSON.stringify(presence) : '',
    )
    return { serverMs, tookMs: performance.now() - sentAt, held }
  }
  const beat = async (): Promise<void> => {
    const answer = await send()
    if (answer) onBeat(answer)
  }
  const tick = (): void => {
    // one that is late is not followed by a heap of others
    if (beating) return
    beating = true
    beat()
      .catch(onMissed)
      .finally(() => {
        beating = false
      })
  }
  const bury = (who: string): Promise<unknown> => scripts.run('leave', who, 'gone')
  const stop = (): void => {
    if (timer) clearInterval(timer)
    timer = null
  }

  return {
    async begin() {
      await beat()
      timer = setInterval(tick, BEAT_MS)
      timer.unref()
    },
    beat,
    async showAlive() {
      await send()
    },
    async announce(presence) {
      said = presence
      await beat()
    },
    presences: () => readPresences(scripts),
    async buryIfGone(who, name) {
      if (!isGone(name)) return false
      await bury(who)
      return true
    },
    async buryTheDead() {
      let found = 0
      for (const [who, name] of Object.entries(await processes()))
        if (isGone(name)) {
          await bury(who)
          found += 1
        }
      return found
    },
    async leave() {
      stop()
      if (left) return
      left = true
      await scripts.run('leave', instance, 'left')
    },
    stop,
  }
}
