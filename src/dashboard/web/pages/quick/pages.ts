// The pages that begin with one field, as one file to load.
export { ParsePage } from '../parse/parse-page.tsx'
export { ThumbnailsPage } from '../thumbnails/thumbnails-page.tsx'
