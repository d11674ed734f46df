// Which services this machine has for the tests. A missing one is a skip that says so; with REQUIRE_SERVICES=1,
// as on a machine that builds, it is a failure.
import { existsSync } from 'node:fs'

/** The program that proves each service to be there. */
const PROGRAMS = {
  rabbitmq: ['/usr/lib/rabbitmq/bin/rabbitmq-server'],
  redis: ['/usr/bin/redis-server', '/usr/local/bin/redis-server'],
  thrift: ['/usr/bin/thrift', '/usr/local/bin/thrift'],
  'thrift-python': ['/usr/lib/python3/dist-packages/thrift/Thrift.py'],
  chromium: ['/usr/bin/chromium'],
  nginx: ['/usr/sbin/nginx'],
  curl: ['/usr/bin/curl'],
  jq: ['/usr/bin/jq'],
  python: ['/usr/bin/python3'],
  supervisorctl: ['/usr/bin/supervisorctl'],
  tmux: ['/usr/bin/tmux'],
  go: ['/usr/bin/go', '/usr/local/go/bin/go'],
  zsh: ['/usr/bin/zsh', '/bin/zsh'],
  promtool: ['/usr/bin/promtool', '/usr/local/bin/promtool'],
} as const
export type ServiceName = keyof typeof PROGRAMS

/**
 * For `it(title, { skip: requireService('rabbitmq') }, ...)`: false when it is there, else the reason to skip.
 * @throws Error when it is missing and REQUIRE_SERVICES=1
 */
export const requireService = (name: ServiceName): string | false => {
  if (PROGRAMS[name].some(program => existsSync(program))) return false
  const reason = `${name} is not installed: run .ci/install-services`
  if (process.env.REQUIRE_SERVICES === '1') throw new Error(reason)
  console.error(`SKIPPED: ${reason}`)
  return reason
}
