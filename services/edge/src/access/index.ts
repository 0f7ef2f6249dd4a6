export { AccessBook, reasonHeaders } from './access-book.ts';
export { storePrivacyRequest, type StoredAt } from './store-request.ts';
