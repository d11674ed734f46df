// What the files of the image promise, as far as it can be read without building it.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SETTINGS } from '../src/settings.ts'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const read = (name: string): string => readFileSync(path.join(root, name), 'utf8')
const dockerfile = read('Dockerfile')
const compose = read('docker-compose.yml')

describe('the files of the image', () => {
  it('say no version of their own', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string }
    for (const text of [dockerfile, compose]) assert.ok(!text.includes(version))
    assert.match(dockerfile, /^ARG VERSION=unknown$/m)
    assert.match(dockerfile, /image\.version="\$VERSION"/)
  })

  it('let nothing into the build but what the Dockerfile copies', () => {
    const lines = read('.dockerignore')
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('#'))
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names]) =>
      (names ?? '').split(' '),
    )
    assert.equal(lines[0], '*')
    assert.deepEqual(lines.slice(1).sort(), [...new Set(copied)].map(name => `!${name}`).sort())
  })

  it('open and publish the ports that the settings name, on loopback', () => {
    const ports = (['API_PORT', 'RPC_PORT', 'DASHBOARD_PORT'] as const).map(name => [
      name,
      SETTINGS[name].default,
    ])
    assert.match(dockerfile, new RegExp(`^EXPOSE ${ports.map(([, port]) => port).join(' ')}$`, 'm'))
    const published = [...compose.matchAll(/^ {6}- (\S+:\d+)$/gm)].map(([, line]) => line)
    assert.deepEqual(
      published,
      ports.map(([name, port]) => `127.0.0.1:\${${name}:-${port}}:${port}`),
    )
  })

  it('look for kinds in the folder that an image of a user copies them to, in our compose file and in the example', () => {
    assert.match(dockerfile, /^ {4}KINDS_DIR=\/kinds$/m)
    assert.match(dockerfile, /^RUN mkdir \/kinds /m)
    assert.match(compose, /^ {6}KINDS_DIR: \/kinds$/m)
    assert.match(read('examples/project/Dockerfile'), /^COPY kinds\/ \/kinds\/$/m)
    // an image of a user may have another WORKDIR
    assert.doesNotMatch(dockerfile + compose, /(?<!\/app\/)bin\/(?:start|healthcheck)\.mjs/)
  })

  it('are alike in what the example publishes and how long it may stop', () => {
    const example = read('examples/project/docker-compose.yml')
    const published = (text: string) => text.match(/^ {6}- 127\.0\.0\.1:.*$/gm)
    assert.deepEqual(published(example), published(compose))
    const grace = /stop_grace_period: (\d+)s\$\{DRAIN_SECONDS:-(\d+)\}s/.exec(compose)
    assert.match(example, new RegExp(`stop_grace_period: ${Number(grace?.[1]) + Number(grace?.[2])}s`))
  })

  it('give a stop more time than the processes take: drain, then closing, then the kill of the supervisor', () => {
    const grace = /stop_grace_period: (\d+)s\$\{DRAIN_SECONDS:-(\d+)\}s/.exec(compose)
    const drainSeconds = Number(SETTINGS.DRAIN_SECONDS.default)
    assert.equal(Number(grace?.[2]), drainSeconds)
    const { apps } = createRequire(import.meta.url)('../ecosystem.config.cjs') as {
      apps: { kill_timeout: number }[]
    }
    for (const { kill_timeout } of apps) {
      assert.ok(kill_timeout > (drainSeconds + 5) * 1000)
      assert.ok(kill_timeout < (drainSeconds + Number(grace?.[1])) * 1000)
    }
  })

  it('have programs that can be run as they are', () => {
    for (const name of ['bin/smoke', 'bin/healthcheck.mjs']) {
      assert.ok((statSync(path.join(root, name)).mode & 0o111) !== 0, name)
      const { status, stderr } = spawnSync(process.execPath, ['--check', path.join(root, name)], {
        encoding: 'utf8',
      })
      assert.equal(status, 0, stderr)
    }
  })
})
