// A shared task as state: asked for by its link, then told at every change until it ends or the link does.
import { useEffect, useState } from 'preact/hooks'
import { isFinal, type Task } from '../../../../client/task.ts'
import { get } from '../../state/api.ts'
import { type Asked, useAsked } from '../../state/use-asked.ts'
import { laterOf } from '../task/use-task.ts'

/** The browser itself comes back after a break; where the server refused it, this is how long it waits. */
const AGAIN_MS = 4_000

/** @param address of the task at the API, which the link opens */
export const useSharedTask = (address: string): Asked<Task> => {
  const asked = useAsked(address, signal => get<Task>(address, { signal }))
  const [turn, setTurn] = useState(0)
  const { again, change, value, problem } = asked
  const isOpen = value !== null && !isFinal(value.status) && problem === null

  // a server that is away, or has no room, may have both later
  const isForNow = problem !== null && problem.status !== 404
  useEffect(() => {
    if (!isForNow) return
    const timer = setTimeout(again, AGAIN_MS)
    return () => clearTimeout(timer)
  }, [problem])

  useEffect(() => {
    if (!isOpen) return
    const source = new EventSource(`${address}/events`)
    let timer: ReturnType<typeof setTimeout> | undefined
    /** The record says what became of it: it was removed, the link has ended, or the server was away. */
    const askAnew = (ms: number): void => {
      source.close()
      clearTimeout(timer)
      timer = setTimeout(() => {
        again()
        setTurn(count => count + 1)
      }, ms)
    }
    source.addEventListener('task', ({ data }) =>
      change(before => laterOf(before, JSON.parse(data as string) as Task)),
    )
    source.addEventListener('removed', () => askAnew(0))
    source.addEventListener('end', ({ data }) => {
      const { reason } = JSON.parse(data as string) as { reason: string }
      // for any other reason the browser connects again, and goes on where it was
      if (reason === 'login' || reason === 'final') askAnew(0)
    })
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED) askAnew(AGAIN_MS)
    })
    return () => {
      clearTimeout(timer)
      source.close()
    }
  }, [address, isOpen, turn])
  return asked
}
