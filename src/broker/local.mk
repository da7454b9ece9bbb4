# What src/broker builds.
