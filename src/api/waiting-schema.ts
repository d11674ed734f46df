// The shape of why a task waits.
import { z } from 'zod'
import { POSITION_MAX, WAIT_REASONS, type Waiting } from '../core/wait-reasons.ts'
import { output } from './named-schemas.ts'

const time = z.iso.datetime({ precision: 3 })
const count = z.int().min(0)
export const waiting = output(
  'Waiting',
  z
    .object({
      reason: z.enum(WAIT_REASONS).describe('docs/waiting.md; later versions may know more'),
      since: time.describe('when it became due; of NOT_DUE and RETRY_WAIT its last move'),
      detail: z.string().describe('the reason for people'),
      facts: z
        .object({
          dueAt: time.exactOptional().describe('when its time comes'),
          running: count.exactOptional().describe('how many of its kind run'),
          maxConcurrency: count.exactOptional().describe('how many of its kind may'),
          rate: z.string().exactOptional().describe('how often one of its kind may begin, as in `10/s`'),
          slots: count.exactOptional().describe('slots of the workers that take its kind'),
          busy: count.exactOptional().describe('how many of these are busy'),
          trouble: z.string().exactOptional().describe('what a worker or a file says is wrong'),
        })
        .describe('what `detail` says, for programs'),
      position: count
        .nullable()
        .describe(
          `how many come before it; null when it is not due, or when they are more than ${POSITION_MAX}`,
        ),
      startsIn: z
        .object({
          p50: z.number().min(0).describe('half of such starts come sooner'),
          p90: z.number().min(0).describe('nine of ten come sooner'),
        })
        .nullable()
        .describe('an estimate, in seconds; null when there is nothing to estimate from'),
    })
    .describe('Why a task waits, as of now') satisfies z.ZodType<Waiting>,
)
