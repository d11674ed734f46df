// The button that removes an item, open or not.
import { shownText } from '../../format/hidden-characters.ts'
import { useTexts } from '../../texts/use-texts.ts'
import type { ItemActions } from './use-item-actions.ts'
import type { Item } from './use-todo.ts'

export const DeleteItem = ({ item, actions }: { item: Item; actions: ItemActions }) => {
  const words = useTexts().todo
  return (
    <button
      type="button"
      class="button small danger"
      aria-label={words.deleteOf(shownText(item.title ?? ''))}
      disabled={actions.busy.has(item.id)}
      onClick={() => void actions.remove(item)}
    >
      {words.delete}
    </button>
  )
}
