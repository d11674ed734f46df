#!/usr/bin/env node
// Whether this container can do its work: exit code 0, or 1 with the reasons. If api is among ROLES it asks /readyz,
// which costs little more than starting Node. Otherwise it reads the processes' presences.
import { existsSync, readFileSync } from 'node:fs'
import { connect, isIPv6 } from 'node:net'
import path from 'node:path'
import { built } from './built.mjs'
import { messageOf } from './own-output.mjs'

const LIMIT_MS = 6_000
const SAID_MS = 300_000
const EVERY_ADDRESS = ['0.0.0.0', '::']

/**
 * @param {number} code
 * @param {string} words
 * @returns {never}
 */
const end = (code, words) => {
  process.stdout.write(`${words}\n`)
  process.exit(code)
}

/**
 * One request in HTTP/1.0, so that the answer ends with the connection.
 * @param {string} host
 * @param {number} port
 * @returns {Promise<{ status: number, body: string }>}
 */
const ask = (host, port) =>
  new Promise((resolve, reject) => {
    const address = host === '::' ? '::1' : EVERY_ADDRESS.includes(host) ? '127.0.0.1' : host
    const name = isIPv6(address) ? `[${address}]` : address
    const socket = connect({ host: address, port })
    let text = ''
    socket.setEncoding('utf8')
    socket.on('connect', () => socket.write(`GET /readyz HTTP/1.0\r\nHost: ${name}:${port}\r\n\r\n`))
    socket.on('data', data => {
      text += data
    })
    socket.on('error', (/** @type {NodeJS.ErrnoException} */ error) =>
      reject(new Error(`the api does not answer on port ${port} (${error.code})`)),
    )
    socket.on('end', () => {
      const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(text)?.[1])
      resolve({ status, body: text.slice(text.indexOf('\r\n\r\n') + 4) })
    })
  })

/**
 * Each failed check as text; the whole body if it is not an answer of /readyz.
 * @param {string} body
 */
const reasonsIn = body => {
  try {
    /** @type {import('../src/core/readiness.ts').Readiness} */
    const { checks } = JSON.parse(body)
    return Object.entries(checks)
      .filter(([, { status }]) => status === 'failed')
      .map(([name, { status, reason }]) => `${name}: ${reason ?? status}`)
      .join('; ')
  } catch {
    return body.slice(0, 300)
  }
}

/**
 * @param {string} host
 * @param {number} port
 */
const askApi = async (host, port) => {
  const { status, body } = await ask(host, port)
  if (status === 200) end(0, 'ready')
  end(1, `/readyz answers ${status}: ${reasonsIn(body)}`)
}

/**
 * Adds the last words of the role's last process, if they are from the last minutes and not of an earlier process.
 * @param {string} dataDir
 * @param {(role: string) => number} startOf
 * @returns {(amiss: [role: string, check: { reason?: string }]) => Promise<string>}
 */
const told =
  (dataDir, startOf) =>
  async ([role, { reason }]) => {
    const { lastWords } = await built('platform/log-files')
    const since = Math.max(Date.now() - SAID_MS, startOf(role))
    const words = await lastWords(path.join(dataDir, 'logs'), role, since)
    return words === null ? `${role}: ${reason}` : `${role}: ${reason}. The last one said: ${words}`
  }

const lookAtPresences = async () => {
  const { readConfig } = await built('config')
  const { lastStartOf, roleProblems } = await built('core/readiness')
  const { seePresences } = await built('wire')
  const config = readConfig()
  const { presences, isOwn } = await seePresences(config)
  const here = presences.filter(isOwn)
  const amiss = [...roleProblems(presences, config.roles, Date.now(), isOwn)]
  const words = await Promise.all(amiss.map(told(config.dataDir, role => lastStartOf(here, role))))
  if (amiss.some(([, { status }]) => status === 'failed')) end(1, words.join('; '))
  const door = here.find(({ role, alive }) => role === 'api' && alive)?.details.address
  if (!door) return end(0, ['ready', ...words].join('; '))
  await askApi(config.host, Number(door.slice(door.lastIndexOf(':') + 1)))
}

setTimeout(() => end(1, `no answer within ${LIMIT_MS / 1000} s`), LIMIT_MS).unref()
try {
  // like src/config.ts: the environment overrides .env
  const { parseEnvFile } = await built('platform/env-file')
  const file = existsSync('.env') ? parseEnvFile(readFileSync('.env')).values : {}
  const { ROLES, HOST, API_PORT } = { ...file, ...process.env }
  const port = Number(API_PORT || 8000)
  const withApi = !ROLES || ROLES.split(',').some(role => role.trim() === 'api')
  await (withApi && port > 0 ? askApi(HOST || '127.0.0.1', port) : lookAtPresences())
} catch (error) {
  end(1, messageOf(error))
}
