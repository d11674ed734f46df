// Starts the page.
import { render } from 'preact'
import { App } from './app.tsx'
import { startLive } from './data/live.ts'
import { startKeys } from './frame/keys.ts'

const place = document.getElementById('app')
if (place) {
  startKeys()
  startLive()
  render(<App />, place)
}
