/** Run before each file with tests; what it imports once in each process that runs them. */
import './equal-bytes.ts'
