-- CreateEnum
CREATE TYPE "study_kind" AS ENUM ('ablation', 'evaluation');

-- AlterEnum
ALTER TYPE "run_role" ADD VALUE 'evaluation';

-- AlterTable
ALTER TABLE "studies" ADD COLUMN     "kind" "study_kind" NOT NULL DEFAULT 'ablation';
