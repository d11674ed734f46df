// PM2's apps: one for each role in ROLES. `npm start` passes settings in BUNDLE; do not run this file alone.
// docs/architecture.md, "The supervisor", gives the reason for each option.
const path = require('node:path')
const v8 = require('node:v8')

const bundle = JSON.parse(process.env.BUNDLE ?? '{}')
const roles = bundle.roles ?? ['api', 'worker', 'rpc', 'dashboard']
const logs = path.join(bundle.dataDir ?? path.resolve('data'), 'logs')
const drainMs = bundle.drainMs ?? 10_000

// With a heap limit of up to 2 GB, V8 collects before the heap has doubled. Above that it lets the heap grow up to
// four times: a process under attack took 160 MB where it needs 30. One GB holds the lists of some four million
// tasks. A smaller container has a smaller limit of its own. Not for the worker: the option would overrule the limits
// of its threads.
const heapMb = Math.min(1024, Math.floor(v8.getHeapStatistics().heap_size_limit / 2 ** 20))
const heapOptions = role => (role === 'worker' ? [] : [`--max-old-space-size=${heapMb}`])
// With V8's default of 16 MB, a process that was busy once keeps 30 MB that it does not need. With less, a worker with
// many tiny tasks collects all the time.
const youngOptions = role =>
  role === 'worker' ? ['--min-semi-space-size=16', '--max-semi-space-size=16'] : ['--max-semi-space-size=4']

// Secrets that only some roles need. All roles need STORE_URL and AMQP_URL; other variables may be for the kinds. PM2
// leaves out every variable whose name begins with one of these.
const ONLY = {
  DASHBOARD_PASSWORD: ['dashboard'],
  DASHBOARD_VIEWER_PASSWORD: ['dashboard'],
  OIDC_CLIENT_SECRET: ['api', 'dashboard'],
}
const foreignSecrets = role => Object.keys(ONLY).filter(name => !ONLY[name].includes(role))

module.exports = {
  apps: roles.map(role => ({
    name: role,
    script: path.join(__dirname, 'dist', role, 'main.js'),
    cwd: bundle.cwd ?? process.cwd(),
    exec_mode: 'fork',
    node_args: ['--enable-source-maps', ...youngOptions(role), ...heapOptions(role)],
    wait_ready: true,
    listen_timeout: 30_000,
    // longer than a process takes to drain and close, so that PM2's SIGKILL is the last resort
    kill_timeout: drainMs + 8_000,
    autorestart: true,
    // with max_restarts, PM2 7 stays in 'waiting restart' for ever
    exp_backoff_restart_delay: 100,
    // without procps, PM2 would start a process twice
    treekill: false,
    vizion: false,
    pmx: false,
    merge_logs: true,
    out_file: path.join(logs, `${role}.out.log`),
    error_file: path.join(logs, `${role}.err.log`),
    filter_env: foreignSecrets(role),
    env: { NODE_ENV: 'production' },
  })),
}
