// `madhava start`, in a clone `npm start`: a clone installs and builds what is missing. Checks settings, kinds and ports,
// then becomes the supervisor of the roles (pm2-runtime, in this process). `--help` lists its options.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from './build.mjs'
import { built } from './built.mjs'
import { ensureInstalled } from './install.mjs'
import { dropUnreadOutput } from './own-output.mjs'
import { noteEnds } from './pm2-ends.mjs'
import { clearEnvironment, fixScriptPaths } from './pm2-environment.mjs'
import { readStartOptions } from './start-options.mjs'
import { watchKinds } from './watch-kinds.mjs'

const startedAt = Date.now()
const require = createRequire(import.meta.url)
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
/** A Unix socket's path has at most 107 bytes, and PM2's longest name in its folder takes 17. */
const PM2_HOME_MAX = 88
const READY_MS = 30_000
const ONLINE = ['online', 'launching']
const CHECK_MS = 2_000
/** How many checks may find no role online: a restarted role is offline for a moment. */
const CHECKS_WITH_NONE = 4

const options = readStartOptions()
ensureInstalled()
await ensureBuilt()

const { describeSettings, ignoredVariables, readConfig } = await built('config')
const { createLog } = await built('platform/log')
const { keepLogsBounded } = await built('platform/log-files')
const { visibleText } = await built('platform/visible')
const { listenError } = await built('platform/listen-error')
const { checkKinds, loadKinds } = await built('load-kinds')
const { ownData } = await built('wire')
const { settleLogins } = await built('dashboard/access/settle-logins')
const { takeOverLogins } = await built('dashboard/access/take-over-logins')

/**
 * Reports a port in use, which otherwise would only show in the log of a role that restarts again and again.
 * @param {import('../src/config.ts').Config} config
 */
const checkPorts = async ({ host, ports, roles }) => {
  for (const [role, port] of Object.entries(ports)) {
    if (port === 0 || !roles.some(name => name === role)) continue
    const server = createServer()
    await new Promise((resolve, reject) => {
      server.once('error', cause =>
        reject(listenError(cause, { host, port, setting: `${role.toUpperCase()}_PORT` })),
      )
      server.listen({ host, port }, () => resolve(undefined))
    })
    await new Promise(resolve => server.close(resolve))
  }
}

/** @param {import('../src/core/kind-trouble.ts').KindTrouble} trouble */
const inTrouble = ({ file, reason }) => `A kind is in trouble: ${file}: ${reason}`

/**
 * The operator's password if it was made just now, else null. A bundle of workers alone has no use for logins.
 * @param {import('../src/config.ts').Config} config
 * @param {import('../src/wire.ts').Ownership} data
 * @param {import('../src/platform/log.ts').Log} log
 */
const settle = async (
  { dashboardPassword, viewerPassword, roles },
  { documents, withFolder, bundles, clock },
  log,
) => {
  if (roles.every(role => role === 'worker')) return null
  if (withFolder) await takeOverLogins(documents, withFolder)
  const { created } = await settleLogins(documents, {
    ...bundles,
    configured: { operator: dashboardPassword, viewer: viewerPassword },
    clock,
    makeOperator: true,
    log,
  })
  return created
}

/** Where no setting names the folder, `madhava dev` takes the one that a project has. */
const readSettings = () => {
  const config = readConfig()
  if (!options.watch || config.kindsDir !== null || !existsSync('kinds')) return config
  process.env.KINDS_DIR = path.resolve('kinds')
  return readConfig()
}

const prepare = async () => {
  const config = readSettings()
  for (const words of ignoredVariables()) console.error(words)
  if (options.check) {
    const { kinds } = await loadKinds(config)
    const troubles = kinds.troubles().map(inTrouble)
    console.log([...describeSettings(), `kinds: ${kinds.names().join(', ')}`, ...troubles].join('\n'))
    process.exit(troubles.length === 0 ? 0 : 1)
  }
  await checkKinds(config)
  if (config.isAnonymousUnchosen)
    console.error(
      `HOST is ${config.host}, which others may reach, and ANONYMOUS is unset: nobody gets in without a login or a key (none); set ANONYMOUS to full, read or none.`,
    )
  const log = createLog('supervisor', config.logLevel)
  const data = await ownData(config, log)
  try {
    await checkPorts(config)
    const password = await settle(config, data, log)
    await data.settled()
    return { config, data, password }
  } catch (error) {
    // what went wrong first is what people must know
    await data.started().catch(() => {})
    throw error
  }
}

/** @param {Error} error */
const refuse = error => {
  console.error(visibleText(`Madhava cannot start. ${error.message}`))
  process.exit(1)
}

const { config, data, password } = await prepare().catch(refuse)

/** PM2 reports it as an error, with a stack, when this file of its modules' settings is missing. */
const NO_MODULES = 'module_conf.json'

/** A private folder, since anyone who can connect to PM2's sockets can run commands; and a short one. */
const makePm2Home = () => {
  const beside = path.join(config.dataDir, 'pm2')
  if (Buffer.byteLength(beside) > PM2_HOME_MAX) {
    const short = mkdtempSync(path.join(os.tmpdir(), 'madhava-'))
    process.on('exit', () => rmSync(short, { recursive: true, force: true }))
    writeFileSync(path.join(short, NO_MODULES), '{}')
    return short
  }
  // leftovers of an earlier start would look like a running one; the data folder is locked by now
  rmSync(beside, { recursive: true, force: true })
  mkdirSync(beside, { mode: 0o700 })
  writeFileSync(path.join(beside, NO_MODULES), '{}')
  return beside
}

/** @param {string} pm2Home */
const becomeSupervisor = pm2Home => {
  dropUnreadOutput()
  clearEnvironment(require)
  Object.assign(process.env, {
    BUNDLE: JSON.stringify({
      roles: config.roles,
      dataDir: config.dataDir,
      drainMs: config.drainMs,
      cwd: process.cwd(),
    }),
    PM2_HOME: pm2Home,
    // turns off all of PM2's own connections: no agent, no check for updates, no first-run ping
    PM2_AGENT_ONLINE: '1',
    PM2_DISABLE_VERSION_CHECK: '1',
    PM2_DISCRETE_MODE: 'true',
    // all roles start together; PM2's default is two at a time
    PM2_CONCURRENT_ACTIONS: String(config.roles.length),
  })
  process.argv = [
    process.execPath,
    'pm2-runtime',
    'start',
    path.join(root, 'ecosystem.config.cjs'),
    '--no-auto-exit',
  ]
  fixScriptPaths(require)
  noteEnds(require)
  require('pm2/lib/binaries/Runtime4Docker.js')
}

/** An address that stands for all interfaces cannot be opened in a browser everywhere; loopback can. */
const EVERY_ADDRESS = { '0.0.0.0:': '127.0.0.1:', '[::]:': '[::1]:' }

/** @param {import('../src/core/store.ts').SeenPresence} presence */
const addressOf = ({ role, details: { address } }) => {
  if (!address) return null
  const [every, loopback] = Object.entries(EVERY_ADDRESS).find(([all]) => address.startsWith(all)) ?? ['', '']
  const url = `${role === 'rpc' ? 'thrift' : 'http'}://${loopback}${address.slice(every.length)}`
  return `  ${role.padEnd(10)} ${url}${role === 'rpc' ? '' : '/'}${every && '   and on every other address of this machine'}`
}

/** Waits until every role is ready, and prints the addresses; after a while also the missing roles. */
const reportWhenReady = async () => {
  // installing and building may take long, so the time is counted from here
  const begunAt = performance.now()
  let secret =
    password === null ? [] : [`  The dashboard's login is operator, password ${password} (shown this once).`]
  /** @param {(string | null)[]} lines */
  const tell = lines => {
    // by now PM2 has put its own prefix on console.log
    process.stdout.write(`${visibleText([...lines, ...secret].join('\n'))}\n`)
    secret = []
  }
  for (let told = false; ; ) {
    // a store that is away for a moment shows no presences
    const present = (await data.presences().catch(() => [])).filter(({ alive }) => alive)
    const missing = config.roles.filter(role => !present.some(presence => presence.role === role))
    const addresses = present.map(addressOf).filter(Boolean)
    if (missing.length === 0) {
      const troubles = new Set(
        present.flatMap(({ details }) => (details.kindsInTrouble ?? []).map(inTrouble)),
      )
      tell([
        ...troubles,
        `Madhava is ready after ${((Date.now() - startedAt) / 1000).toFixed(1)} s.`,
        ...addresses,
      ])
      return
    }
    if (!told && performance.now() - begunAt > READY_MS) {
      told = true
      tell([
        `Madhava is not complete: ${missing.join(', ')} did not start. The lines above say why; PM2 keeps trying.`,
        ...addresses,
      ])
    }
    await new Promise(resolve => setTimeout(resolve, told ? 1_000 : 50))
  }
}

/**
 * Ends when no role is left: none could be reached or start another. The exit code makes Docker restart the container.
 * PM2's own check sends the whole list over its socket every two seconds; its table is in this process.
 */
const endWithTheLastRole = () => {
  const god = require.resolve('pm2/lib/God.js')
  let checksWithNone = 0
  setInterval(() => {
    const roles = Object.values(require.cache[god]?.exports.clusters_db ?? {})
    if (roles.length === 0 || roles.some(({ pm2_env }) => ONLINE.includes(pm2_env.status))) checksWithNone = 0
    else checksWithNone += 1
    if (checksWithNone !== CHECKS_WITH_NONE) return
    process.stderr.write('Madhava ends: no role runs any more.\n')
    // PM2 shuts down in order, but chooses its own exit code
    process.on('exit', () => {
      process.exitCode = 2
    })
    process.kill(process.pid, 'SIGTERM')
  }, CHECK_MS).unref()
}

/**
 * The parent of a shell; 0 for anything else, and where the system does not say. npm may run a script by a shell that
 * stays, and would live on without npm.
 * @param {number} pid
 */
const parentOfShell = pid => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const [, name = '', parent = '0'] = /^Name:\s+(\S+)[\s\S]*?^PPid:\s+(\d+)/m.exec(status) ?? []
    return /^(?:ba|da|k|z)?sh$/.test(name) ? Number(parent) : 0
  } catch {
    return 0
  }
}

/** Under npm and npx this ends with them: otherwise a `kill -9` of npm would leave it behind. */
const endWithNpm = () => {
  if (!['start', 'npx'].includes(process.env.npm_lifecycle_event ?? '')) return
  const lineage = () => `${process.ppid} ${parentOfShell(process.ppid)}`
  const born = lineage()
  setInterval(() => {
    if (lineage() !== born) process.kill(process.pid, 'SIGTERM')
  }, 1_000).unref()
}

/** One of them asks all the others. A worker may be busiest. */
const ASKED = ['api', 'dashboard', 'rpc', 'worker']

/** Passes the wish to read the kinds again on to a role, which tells in its log what became of it. */
const askRole = () => {
  const god = require.resolve('pm2/lib/God.js')
  const online = Object.values(require.cache[god]?.exports.clusters_db ?? {}).filter(
    ({ pm2_env }) => pm2_env.status === 'online',
  )
  const [first] = ASKED.flatMap(role => online.filter(({ pm2_env }) => pm2_env.name === role))
  if (first) process.kill(first.process.pid, 'SIGHUP')
  else process.stderr.write('The kinds are not read again: no role runs.\n')
}

/**
 * A closed terminal is a normal stop: without this the supervisor would die without a drain. Without a terminal, SIGHUP
 * asks for the kinds to be read again. Under nohup it may come from a terminal: then that changes nothing.
 */
const heedHangups = () => {
  const hasTerminal = [process.stdin, process.stdout, process.stderr].some(stream => stream.isTTY)
  process.on('SIGHUP', () => {
    if (hasTerminal) process.kill(process.pid, 'SIGTERM')
    else if (config.kindsDir !== null) askRole()
  })
}

mkdirSync(path.join(config.dataDir, 'logs'), { recursive: true })
// from before the roles read the kinds
const watching = options.watch ? await watchKinds(config).catch(refuse) : null
becomeSupervisor(makePm2Home())
endWithNpm()
heedHangups()
endWithTheLastRole()
keepLogsBounded(path.join(config.dataDir, 'logs'))
await reportWhenReady()
await watching?.begin()
await data.started().catch(error => {
  process.stderr.write(`The store could not be closed by the supervisor: ${error.message}\n`)
})
