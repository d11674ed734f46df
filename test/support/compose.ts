// docker-compose.yml as it is, ours or that of another folder, in a folder and a project of the test's own, on free
// ports.
import { execFile } from 'node:child_process'
import { copyFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { buildImage, type Door, docker, freshName, openDoor, type Said, tryDocker } from './docker.ts'
import { freePort } from './free-port.ts'

const run = promisify(execFile)
const SHELL_MS = 120_000
const FILE = fileURLToPath(new URL('../../docker-compose.yml', import.meta.url))

export interface Stack {
  readonly project: string
  readonly door: Door
  readonly rpcPort: number
  /** The name of a service's container. */
  container(service: 'app' | 'rabbitmq'): string
  /** `docker compose ...` in this project. @throws Error with its words when it fails */
  compose(...args: string[]): Promise<string>
  tryCompose(args: readonly string[]): Promise<Said>
  /** A line for a shell in the folder of the stack, as somebody types it there. @throws Error with its words */
  shell(line: string): Promise<string>
  /** Up, and both healthy. */
  up(...options: string[]): Promise<void>
  /** Containers, volumes and the folder. */
  remove(): Promise<void>
}

/** `dotenv`: lines of the `.env` beside the file; `folder`: one to copy whole, with a file of its own. Nothing runs yet. */
export const makeStack = async (dotenv: Record<string, string> = {}, folder?: string): Promise<Stack> => {
  const project = freshName()
  const dir = mkdtempSync(path.join(os.tmpdir(), 'madhava-compose-'))
  if (folder === undefined) copyFileSync(FILE, path.join(dir, 'docker-compose.yml'))
  else cpSync(folder, dir, { recursive: true })
  const ports = [await freePort(), await freePort(), await freePort()]
  const settings = {
    ...dotenv,
    MADHAVA_IMAGE: await buildImage(),
    API_PORT: String(ports[0]),
    RPC_PORT: String(ports[1]),
    DASHBOARD_PORT: String(ports[2]),
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(path.join(dir, '.env'), lines.join(''))
  const tryCompose = (args: readonly string[]): Promise<Said> =>
    tryDocker(['compose', '--ansi', 'never', '-p', project, ...args], { cwd: dir })
  const compose = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await tryCompose(args)
    if (code !== 0) throw new Error(`docker compose ${args.join(' ')}: ${err || out}`)
    return out.trim()
  }
  return {
    project,
    door: openDoor(`http://127.0.0.1:${ports[0]}`),
    rpcPort: Number(ports[1]),
    container: service => `${project}-${service}-1`,
    compose,
    tryCompose,
    async shell(line) {
      const env = { ...process.env, COMPOSE_PROJECT_NAME: project }
      return (await run('sh', ['-c', line], { cwd: dir, env, timeout: SHELL_MS })).stdout
    },
    async up(...options) {
      await compose('up', '-d', '--no-build', '--wait', '--wait-timeout', '180', ...options).catch(
        async (error: unknown) => {
          throw new Error(`${String(error)}\n${await docker('logs', `${project}-app-1`).catch(String)}`)
        },
      )
    },
    async remove() {
      // and the image, if it was built for this project alone
      await tryCompose(['down', '-v', '--rmi', 'local', '--timeout', '5'])
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
