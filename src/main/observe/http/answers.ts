/** Answers that several outlets give. */
import type { Answer } from './server.js';

/** Nothing runs yet, or any more. */
export const STOPPED: Answer = {
  status: 503,
  contentType: 'text/plain; charset=utf-8',
  body: 'Starting or stopping\n',
};
