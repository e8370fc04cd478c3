// The page of a node: asks the local interface, of the same origin, and shows what it says. Text is only ever set as text.
// With ?once it shows the node as it is and does not follow it: for pictures, and for whatever waits until a page is quiet.
import { followJobs, lookAtJobs } from '/page/jobs.js';
import { look, lookOn } from '/page/node.js';
import '/page/documents.js';

if (location.search === '?once') {
  look();
  lookAtJobs();
} else {
  lookOn();
  followJobs();
}
