ALTER TABLE "users_permissions" VALIDATE CONSTRAINT "users_permissions_permission_check";
