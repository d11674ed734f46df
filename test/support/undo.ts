// What a test undoes at its end: the last that was made goes first. node:test's own `after` hooks run in the order in
// which they were given, which would remove a folder while the container above it still writes there.
type Work = () => unknown
/** A test, or what stands for one. */
export interface Ends {
  after(work: () => Promise<void>): void
}

const works = new WeakMap<Ends, Work[]>()

/** Does `work` when test `t` ends, before all that was given to `undo` earlier. Every work runs; the first error counts. */
export const undo = (t: Ends, work: Work): void => {
  const known = works.get(t)
  if (known !== undefined) {
    known.push(work)
    return
  }
  const list = [work]
  works.set(t, list)
  t.after(async () => {
    const errors: unknown[] = []
    for (const each of list.toReversed())
      try {
        await each()
      } catch (error) {
        errors.push(error)
      }
    if (errors.length > 0) throw errors[0]
  })
}
