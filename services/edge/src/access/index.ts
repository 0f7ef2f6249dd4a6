export { AccessBook, reasonHeader, reasonHeaders } from './access-book.ts';
export { storePrivacyRequest, type StoredAt } from './store-request.ts';
