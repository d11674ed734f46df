// How the parts of a run that handle files ask the worker process, and how its errors arrive.
import { isErrorCode, MadhavaError } from '../../core/errors.ts'
import type { CallError, FileFromThread } from '../pool/file-protocol.ts'

export interface CallPort {
  /** The run's. */
  signal: AbortSignal
  /** A number that no other call of the run has. */
  nextCall(): number
  post(message: FileFromThread, transfer?: ArrayBuffer[]): void
  /** @throws the signal's reason once it has fired; CLAIM_LOST when the run is over */
  refuseWhenOver(): void
}

export const errorOfCall = ({ code, message, detail }: CallError): MadhavaError =>
  new MadhavaError(isErrorCode(code) ? code : 'INTERNAL', message, { detail })
