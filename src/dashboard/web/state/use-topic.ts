// The hook by which a part of the page follows a topic of the event stream.
import { useEffect, useRef } from 'preact/hooks'
import { followTopic } from './live.ts'

/**
 * @param topic null follows nothing
 * @param heard by the name of the event; `topic` is told when the topic itself fails ({ code, detail }) and heals
 */
export const useTopic = (
  topic: string | null,
  heard: Readonly<Record<string, (data: never) => void>>,
): void => {
  const latest = useRef(heard)
  latest.current = heard
  useEffect(() => {
    if (topic === null) return
    return followTopic(topic, (event, data) => latest.current[event]?.(data as never))
  }, [topic])
}
