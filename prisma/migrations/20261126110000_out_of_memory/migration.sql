ALTER TYPE "failure_code" ADD VALUE 'out_of_memory' BEFORE 'dependency_failed';
