// One clock over hosts that disagree: right within the doubt of a round trip, and quiet where hosts agree.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createSharedClock } from '../../src/platform/shared-clock.ts'

const BEGIN = Date.UTC(2026, 0, 1)

describe('the shared clock', () => {
  it("is the host's own until a server says otherwise, and where both agree", () => {
    const clock = createSharedClock(() => BEGIN)
    assert.equal(clock.now().getTime(), BEGIN)
    for (const apart of [0, 20, -30, 49]) clock.told({ serverMs: BEGIN + apart, tookMs: 2 })
    assert.equal(clock.now().getTime(), BEGIN)
  })

  it('is as far from the server as a round trip leaves in doubt, whatever the host thinks', () => {
    const ms = (max: number) => fc.integer({ min: 0, max })
    fc.assert(
      fc.property(
        fc.integer({ min: -1e9, max: 1e9 }),
        fc.array(fc.record({ up: ms(400), down: ms(400), pause: ms(5_000) }), {
          minLength: 1,
          maxLength: 10,
        }),
        (apart, trips) => {
          let server = BEGIN
          const clock = createSharedClock(() => server + apart)
          let least = Infinity
          for (const { up, down, pause } of trips) {
            server += pause
            server += up
            const serverMs = server
            server += down
            clock.told({ serverMs, tookMs: up + down })
            least = Math.min(least, (up + down) / 2)
          }
          assert.ok(Math.abs(clock.now().getTime() - server) <= 2 * least + 51)
        },
      ),
      {
        examples: [
          // a third look as bad as the first, after a better one that changed nothing
          [
            -53,
            [
              [166, 3],
              [32, 0],
              [0, 168],
            ].map(([up = 0, down = 0]) => ({ up, down, pause: 0 })),
          ],
        ],
      },
    )
  })

  it('follows a host whose clock is set, and set again', () => {
    let own = BEGIN
    const clock = createSharedClock(() => own)
    own = BEGIN + 3_600_000
    clock.told({ serverMs: BEGIN, tookMs: 2 })
    assert.ok(Math.abs(clock.now().getTime() - BEGIN) <= 1)
    own = BEGIN
    clock.told({ serverMs: BEGIN, tookMs: 400 })
    assert.ok(Math.abs(clock.now().getTime() - BEGIN) <= 200)
  })
})
