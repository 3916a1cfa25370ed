package oms

// The models below are the fields an order is known to carry, with their
// types. They give a known field its spelling (LINEITEMS becomes lineItems),
// and let a value of the wrong type be refused with its path. Fields beyond
// them are as welcome, and kept as they come.

// orderModel is an order, a cart, and a patch of either.
var orderModel = newModel(
	of(text, `
		billingCurrency completed created customerClubMemberId customerContact customerEmail customerId customerName
		customerNumber customerPhone customerPickupDeadline customerReference customerRequisition customerType dueDate
		expiredDate followUpDate id invoiceComment marketId modified modifiedBy nextOrderStatus orderNumber
		orderOrigin orderStatus orderType paymentType projectId readyForPickup received requestedDeliveryDate
		salesChannel salesPersonId salesPersonName secretKey session status storeId storePickDate subscriptionId
		updateStatusDate versionId`),
	of(number, `
		discountTotalIncVat lineItemsCost netTotal netTotalExclTax paymentTermsNet remainingPayment
		shippingDiscountTotal shippingSubTotal subTotal subTotalExclTax taxTotal total totalExclTax version`),
	of(boolean, `
		ignorePromotions isNewCustomer isNotificationsDisabled isReadOnly isReadOnlyByCustomer
		keepExistingCustomProperties keepExistingListItems`),
	of(textList, `
		customerGroups forceUpdate projectIds relatedOrders replacementOrderIds tags`),
	object("billingAddress", addressModel),
	object("contactPerson", contactPersonModel),
	object("orderForm", orderFormModel),
	list("assets", assetModel),
	list("errors", entityErrorModel),
	list("externalIds", externalIDModel),
	list("groups", groupModel),
	list("orderNotes", commentModel),
	list("properties", propertyModel),
	list("propertiesRemovalConditions", propertyModel),
	list("publicOrderNotes", commentModel),
	list("returnOrderForms", returnFormModel),
)

// orderFormModel is the lines, shipments and payments of an order.
var orderFormModel = newModel(
	of(text, `
		cartId cartName purchaseOrderId`),
	of(number, `
		authorizedPaymentTotal capturedPaymentTotal chargeShipmentCostAmount creditPaymentTotal creditShipmentAmount
		discountAmount grossRoundoff handlingTotal orderLevelTax shippingCreditedTotal shippingDiscountTotal
		shippingSubTotal shippingSubTotalExclTax shippingTotal subTotal subTotalExclTax taxTotal total totalExclTax`),
	of(boolean, `
		fullRefund isPriority`),
	of(textList, `
		couponCodes`),
	list("charges", chargeModel),
	list("discounts", discountModel),
	list("lineItems", orderLineModel),
	list("payments", paymentModel),
	list("properties", propertyModel),
	list("shipments", shipmentModel),
)

// orderLineModel is one line.
var orderLineModel = newModel(
	of(text, `
		alternativeProductName brand campaignId cancelComment cancelReason canceledDate code color comment
		customerPickupDeadline deliveredDate discountReasonCode displayName ean expectedDeliveryDate groupId imageUrl
		internalWarehouseLocation lineItemId modifiedReason packageLineItemId packageSkuId priceListId priceListItemId
		productId productType readyForPickupDate replacedDate replacementReason replacementType requestedDeliveryDate
		reservedInventoryDeliveryId reservedInventoryPurchaseOrderId reservedInventoryPurchaseOrderLineId returnDate
		returnReason returnType selectedUnit serialNumber size storePickDate supplierId supplierName supplierSkuId
		unit webSiteProductUrl`),
	of(number, `
		canceledQuantity cost costTotal creditedAmount deliveredQuantity discounted discountedExclTax discountedPrice
		discountedPriceExclTax extendedPrice extendedPriceExclTax lineItemDiscountAmount lineItemDiscountAmountExclTax
		orderDiscountAmount originalExtendedPricePerUnit placedPrice placedPriceExclTax quantity
		readyForPickupQuantity replacedQuantity reservedInventoryQuantity returnQuantity selectedUnitConversionFactor
		selectedUnitQuantity suggestedRetailPrice suggestedRetailPriceExclTax taxRate taxTotal`),
	of(boolean, `
		createPurchaseOrder isAwaitingPurchaseOrder isBackorder isBundle isConfigurableProduct
		isExcludedFromPromotions isGift isPackage isPackageBrokeDown isPackageProduct isReadOnly isReadOnlyByCustomer
		isSerializableProduct isSkuAccessory isVirtualProduct keepExistingCustomProperties reservedInventory
		updateStock`),
	of(textList, `
		gtins`),
	of(anyObject, "orderLineBonusPoints"),
	of(anyList, "components"),
	list("externalIds", externalIDModel),
	of(anyList, "orderLineDiscounts"),
	list("properties", propertyModel),
	list("propertiesRemovalConditions", propertyModel),
)

// shipmentModel is one shipment.
var shipmentModel = newModel(
	of(text, `
		comment completed deliveryStatus expectedDeliveryDate expectedShipmentDate goodsDescription orderStatus
		pickUpWarehouseCode prevStatus returnLabelLink returnTrackingLink returnTrackingNumber servicePointId
		shipmentId shipmentLabelLink shipmentTrackingLink shipmentTrackingNumber shippingLabel shippingMethodId
		shippingMethodName shippingMethodProductId status virtualWarehouseCode warehouseCode`),
	of(number, `
		shipmentTaxRate shippingCreditedTotal shippingDiscountAmount shippingSubTotal shippingSubTotalExclTax
		shippingTax shippingTotal subTotal taxTotal total`),
	of(boolean, `
		isAllocated transit`),
	object("address", addressModel),
	object("contactPerson", contactPersonModel),
	of(anyObject, "pickUpPointInformation"),
	list("discounts", discountModel),
	list("externalIds", externalIDModel),
	list("lineItems", orderLineModel),
	of(anyList, "orderStatusLog"),
	of(anyList, "packages"),
	list("properties", propertyModel),
)

// returnFormModel is one return of an order.
var returnFormModel = newModel(
	of(text, `
		cartId cartName created modified purchaseOrderId returnComment returnId returnType rmaNumber status storeId
		userId`),
	of(number, `
		authorizedPaymentTotal capturedPaymentTotal chargeShipmentCostAmount creditAmount creditPaymentTotal
		creditShipmentAmount discountAmount grossRoundoff handlingTotal orderLevelTax shippingCreditedTotal
		shippingDiscountTotal shippingSubTotal shippingSubTotalExclTax shippingTotal subTotal subTotalExclTax taxTotal
		total totalExclTax`),
	of(boolean, `
		creditPayment fullRefund isPriority replaceLineItemsArray shouldAddMissingLineItems`),
	of(textList, `
		couponCodes replacementOrderIds sentNotificationIds`),
	of(anyObject, "claim"),
	list("charges", chargeModel),
	list("discounts", discountModel),
	list("errors", entityErrorModel),
	list("externalIds", externalIDModel),
	list("lineItems", orderLineModel),
	list("payments", paymentModel),
	list("properties", propertyModel),
	list("returnCharges", chargeModel),
	list("shipments", shipmentModel),
)

// paymentModel is one payment.
var paymentModel = newModel(
	of(text, `
		authorizationCode authorizationExpires comment created customerName id implementationClass internalReference
		invoiceId paidDate paymentMethodId paymentMethodName paymentType reason shipmentId status storeId
		transactionId transactionType validationCode`),
	of(number, `
		amount paymentId`),
	of(boolean, `
		isManuallyAdded`),
	list("externalIds", externalIDModel),
	of(anyList, "orderLineReferences"),
	list("properties", propertyModel),
)

// addressModel is a postal address.
var addressModel = newModel(
	of(text, `
		apartmentNumber city countryCode countryName daytimePhoneNumber email eveningPhoneNumber externalId firstName
		lastName line1 line2 name organization organizationalNumber phone postalCode regionCode regionName state
		streetNumber`),
)

// propertyModel is one custom property.
var propertyModel = newModel(
	of(text, `
		key keyGroup value valueType`),
)

// commentModel is one note.
var commentModel = newModel(
	of(text, `
		created creator customerId deliveryMethod detail emailFromAddress emailFromName emailRecipient emailSubject id
		lineItemId objectId objectType parentId smsFrom smsRecipient title type userId`),
	of(boolean, `
		sendNotification`),
	of(textList, `
		tags`),
	list("attachments", assetModel),
)

// externalIDModel names the order in another system.
var externalIDModel = newModel(
	of(text, `
		id providerName`),
)

// assetModel is one file.
var assetModel = newModel(
	of(text, `
		altText assetId assetType contentType created description externalUrl fileName modified name parentId purpose
		url`),
	of(number, `
		length sortOrder`),
	of(boolean, `
		forceUpload isMainImage`),
	list("properties", propertyModel),
)

// entityErrorModel is one error shown on an order.
var entityErrorModel = newModel(
	of(text, `
		comment details displayName key message occurred referenceId runId severity status`),
)

// discountModel is one discount.
var discountModel = newModel(
	of(text, `
		discountCode discountId discountName discountSource discountType rewardType`),
	of(number, `
		discountAmount discountValue maxDiscountAmount priority`),
	of(boolean, `
		alwaysApply canBeCombinedWithOtherPromotions isBonusPointsReward`),
	of(textList, `
		skuIds`),
	of(anyObject, "promotionFixedPriceReward"),
	of(anyObject, "promotionMultiBuyReward"),
)

// contactPersonModel is a person to ask.
var contactPersonModel = newModel(
	of(text, `
		email firstName id lastName phone privateCustomerId role`),
	of(boolean, `
		isPrimaryContact notify`),
	of(textList, `
		roles`),
	of(anyObject, "address"),
	list("externalIds", externalIDModel),
	list("properties", propertyModel),
)

// groupModel is one order group.
var groupModel = newModel(
	of(text, `
		description id name`),
)

// chargeModel is one charge.
var chargeModel = newModel(
	of(text, `
		key`),
	of(number, `
		amount`),
)
