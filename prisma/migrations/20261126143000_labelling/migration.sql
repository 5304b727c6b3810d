-- AlterEnum
ALTER TYPE "run_role" ADD VALUE 'labelling';
