// Runs inside a helper thread: does one job after another.
import { parentPort } from 'node:worker_threads'
import type { HelperReply, HelperRequest } from './helpers.ts'
import { perform } from './jobs.ts'

const port = parentPort
const answer = ({ name, given }: HelperRequest): HelperReply => {
  try {
    return { made: perform(name, given as Parameters<typeof perform>[1]) }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}
port?.on('message', (request: HelperRequest) => port.postMessage(answer(request)))
