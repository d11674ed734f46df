// The methods of supervisord's XML-RPC that a bundle has, over our own orders, processes and logs.
import type { AuditAction } from '../../core/audit.ts'
import { type AuditRecorder, auditedBy } from '../../core/audit-recorder.ts'
import { clearLog } from '../../platform/log-files.ts'
import { type Deed, deedOfMethod, demandRight, mayDo, type Who } from '../access/rights.ts'
import type { OrderedProcess, ProcessOrders } from '../processes/orders.ts'
import { LOG_STREAMS, type LogStream, type Processes, type ProcessRow } from '../processes/processes.ts'
import { FAULTS, fault, faultOf } from './faults.ts'
import { readLogBytes, tailLogBytes } from './log-bytes.ts'
import { Fault, type Value } from './message.ts'
import { processInfo, stateOf } from './process-info.ts'

export interface MethodOptions {
  processes: Processes
  orders: ProcessOrders
  /** Of the package. */
  version: string
  /** Of the supervisor. */
  pid: () => number
  audit: Pick<AuditRecorder, 'run' | 'noteRefusal'>
  onDeed: (who: Who, deed: Deed, method: string, name: string) => void
  /** Milliseconds since 1970. */
  clock?: () => number
}

type Method = (params: Value[], who: Who) => Promise<Value> | Value

/** How long an answer waits, milliseconds; a connection that says nothing for two minutes is closed. */
const WAIT = { start: 60_000, stop: 90_000 } as const
const CALLS_MAX = 50

/** Of a method that changes something. */
const actionOf = (method: string): AuditAction => {
  if (method.startsWith('supervisor.clear')) return 'logs.clear'
  return method.startsWith('supervisor.start') ? 'process.start' : 'process.stop'
}

const text = (value: Value | undefined): string => {
  if (typeof value !== 'string') throw fault('INCORRECT_PARAMETERS', 'a name is a string')
  return value
}
const whole = (value: Value | undefined): number => {
  const read = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value
  if (typeof read !== 'number' || !Number.isInteger(read))
    throw fault('INCORRECT_PARAMETERS', 'a number is an int')
  return read
}
const flag = (value: Value | undefined): boolean => {
  if (value === undefined) return true
  if (typeof value === 'boolean') return value
  if (value === 0 || value === 1) return value === 1
  throw fault('INCORRECT_PARAMETERS', 'wait is a boolean')
}

/** `group:name` or `name`; `group:*` and `group:` are the whole group. A process of ours is its own group. */
const nameOf = (value: Value | undefined): string => {
  const [group = '', name, ...rest] = text(value).split(':')
  if (rest.length > 0 || (name !== undefined && !['', '*', group].includes(name)))
    throw fault('BAD_NAME', text(value))
  return group
}
const isGroup = (value: Value | undefined): boolean => typeof value === 'string' && /:\*?$/.test(value)

export const createMethods = (options: MethodOptions) => {
  const { processes, orders, version, pid, audit, onDeed, clock = Date.now } = options

  const list = async (): Promise<ProcessRow[]> => {
    try {
      return (await processes.list()).sort((a, b) => (a.name < b.name ? -1 : 1))
    } catch (error) {
      throw faultOf(error, 'look')
    }
  }
  const rowOf = async (name: string): Promise<ProcessRow> => {
    const found = (await list()).find(row => row.name === name)
    if (!found) throw fault('BAD_NAME', name)
    return found
  }

  /** The fault of one process; null: it is as was asked. */
  const faultFor = (
    { name, outcome, reason }: OrderedProcess,
    action: 'start' | 'stop',
    wait: boolean,
  ): Fault | null => {
    if (outcome === 'unchanged') return fault(action === 'start' ? 'ALREADY_STARTED' : 'NOT_RUNNING', name)
    if (outcome === 'failed') {
      const why = `${name}: ${reason ?? 'unknown'}`
      return fault(action === 'start' ? 'ABNORMAL_TERMINATION' : 'FAILED', why)
    }
    if (outcome === 'done' || !wait) return null
    return action === 'start'
      ? fault('SPAWN_ERROR', `${name} is not ready yet`)
      : fault('FAILED', `${name} has not stopped yet`)
  }

  const give = async (action: 'start' | 'stop', name: string | null, wait: boolean, who: Who) => {
    try {
      return await orders.give({ action, name, who, waitMs: wait ? WAIT[action] : 0 })
    } catch (error) {
      throw faultOf(error, action)
    }
  }

  /** Of several processes each has its own status. */
  const giveAll = async (action: 'start' | 'stop', name: string | null, wait: boolean, who: Who) => {
    const { processes: all } = await give(action, name, wait, who)
    const changed = all.filter(({ outcome }) => outcome !== 'unchanged')
    return changed.map(one => {
      const failed = faultFor(one, action, wait)
      const [status, description] = failed ? [failed.code, failed.message] : [FAULTS.SUCCESS, 'OK']
      return { name: one.name, group: one.name, status, description }
    })
  }

  const order =
    (action: 'start' | 'stop'): Method =>
    async ([given, waits], who) => {
      const [name, wait] = [nameOf(given), flag(waits)]
      if (isGroup(given)) return giveAll(action, name, wait, who)
      const found = await rowOf(name)
      // what PM2 would start in a moment is not stopped: a stop must reach it
      if (action === 'stop' && ['STOPPED', 'EXITED'].includes(stateOf(found)))
        throw fault('NOT_RUNNING', name)
      const { processes: ordered } = await give(action, name, wait, who)
      for (const one of ordered) {
        const failed = faultFor(one, action, wait)
        if (failed) throw failed
      }
      return true
    }
  const orderGroup =
    (action: 'start' | 'stop'): Method =>
    async ([given, waits], who) => {
      const name = nameOf(given)
      await rowOf(name)
      return giveAll(action, name, flag(waits), who)
    }
  const orderAll =
    (action: 'start' | 'stop'): Method =>
    ([waits], who) =>
      giveAll(action, null, flag(waits), who)

  const fileOf = async (given: Value | undefined, stream: LogStream): Promise<string | null> => {
    try {
      return await processes.logFile(nameOf(given), stream, null)
    } catch (error) {
      throw faultOf(error, 'look')
    }
  }
  const read =
    (stream: LogStream): Method =>
    async ([name, offset, length]) =>
      readLogBytes(await fileOf(name, stream), whole(offset), whole(length))
  const tail =
    (stream: LogStream): Method =>
    async ([name, offset, length]) =>
      tailLogBytes(await fileOf(name, stream), whole(offset), whole(length))
  const clear: Method = async ([given], who) => {
    const files = await Promise.all(LOG_STREAMS.map(stream => fileOf(given, stream)))
    const deed = { action: 'logs.clear', target: nameOf(given) } as const
    await audit.run(auditedBy(who.actor), deed, async () => {
      for (const file of files) if (file !== null) await clearLog(file)
    })
    onDeed(who, 'logs.clear', 'clearProcessLogs', nameOf(given))
    return true
  }

  const getState: Method = () =>
    processes.list().then(
      () => ({ statecode: 1, statename: 'RUNNING' }),
      () => ({ statecode: 2, statename: 'FATAL' }),
    )

  /** By its name: how many params it takes, and what it does. */
  const methods = new Map<string, { min: number; max: number; run: Method }>()
  const add = (names: string[], min: number, max: number, run: Method): void => {
    for (const name of names) methods.set(name, { min, max, run })
  }
  const own = (...names: string[]): string[] => names.map(name => `supervisor.${name}`)
  add(own('getAPIVersion', 'getVersion'), 0, 0, () => '3.0')
  add(own('getSupervisorVersion'), 0, 0, () => version)
  add(own('getIdentification'), 0, 0, () => 'madhava')
  add(own('getState'), 0, 0, getState)
  add(own('getPID'), 0, 0, () => pid())
  add(own('getAllProcessInfo'), 0, 0, async () => (await list()).map(row => processInfo(row, clock())))
  add(own('getProcessInfo'), 1, 1, async ([name]) => processInfo(await rowOf(nameOf(name)), clock()))
  add(own('startProcess'), 1, 2, order('start'))
  add(own('stopProcess'), 1, 2, order('stop'))
  add(own('startProcessGroup'), 1, 2, orderGroup('start'))
  add(own('stopProcessGroup'), 1, 2, orderGroup('stop'))
  add(own('startAllProcesses'), 0, 1, orderAll('start'))
  add(own('stopAllProcesses'), 0, 1, orderAll('stop'))
  add(own('readProcessStdoutLog', 'readProcessLog'), 3, 3, read('out'))
  add(own('readProcessStderrLog'), 3, 3, read('err'))
  add(own('tailProcessStdoutLog', 'tailProcessLog'), 3, 3, tail('out'))
  add(own('tailProcessStderrLog'), 3, 3, tail('err'))
  add(own('clearProcessLogs', 'clearProcessLog'), 1, 1, clear)
  add(['system.listMethods'], 0, 0, () => [...methods.keys(), 'system.multicall'].sort())

  const one = async (method: string, params: Value[], who: Who): Promise<Value> => {
    const found = methods.get(method)
    if (!found) throw fault('UNKNOWN_METHOD', method.slice(0, 100))
    if (params.length < found.min || params.length > found.max)
      throw fault('INCORRECT_PARAMETERS', `${method} takes ${found.min} to ${found.max} params`)
    return found.run(params, who)
  }

  /** One after the other. Of each its value in an array, or the struct of a fault. */
  const multicall = async (calls: Value | undefined, who: Who): Promise<Value> => {
    if (!Array.isArray(calls) || calls.length > CALLS_MAX)
      throw fault('INCORRECT_PARAMETERS', `an array of up to ${CALLS_MAX} calls`)
    const results: Value[] = []
    for (const call of calls) {
      const { methodName, params = [] } = (call ?? {}) as { methodName?: Value; params?: Value }
      try {
        if (typeof methodName !== 'string' || !Array.isArray(params))
          throw fault('INCORRECT_PARAMETERS', 'a call has a methodName and params')
        if (methodName === 'system.multicall')
          throw fault('INCORRECT_PARAMETERS', 'a multicall in a multicall')
        if (!mayDo(who, deedOfMethod(methodName))) throw fault('FAILED', `${who.name} may only look`)
        results.push([await one(methodName, params, who)])
      } catch (error) {
        const told = error instanceof Fault ? error : fault('FAILED')
        results.push({ faultCode: told.code, faultString: told.message })
      }
    }
    return results
  }

  return {
    /** @throws Fault, FORBIDDEN */
    async call(method: string, params: Value[], who: Who): Promise<Value> {
      try {
        demandRight(who, deedOfMethod(method))
      } catch (error) {
        await audit.noteRefusal(auditedBy(who.actor), actionOf(method), null, error)
        throw error
      }
      return method === 'system.multicall' ? multicall(params[0], who) : one(method, params, who)
    },
  }
}
