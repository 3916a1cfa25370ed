package oms

// The models below are the fields an order is known to carry, with their
// types. They give a known field its spelling (LINEITEMS becomes lineItems) at
// the place where the model has it, say how a patch merges a list, and let a
// value of another shape be named with its path. Fields beyond them are as
// welcome, and kept as they come.

// orderModel is an order, a cart, and a patch of either.
var orderModel = newModel(
	of(text, `
		billingCurrency completed customerClubMemberId customerContact customerEmail customerId customerName
		customerNumber customerPhone customerPickupDeadline customerReference customerRequisition customerType dueDate
		expiredDate followUpDate id invoiceComment marketId modified modifiedBy nextOrderStatus orderNumber
		orderOrigin orderStatus paymentType projectId readyForPickup received requestedDeliveryDate
		salesChannel salesPersonId salesPersonName secretKey session storeId storePickDate subscriptionId
		updateStatusDate versionId`),
	must(of(text, "created orderType")),
	statusNames("status"),
	of(number, `
		discountTotalIncVat lineItemsCost netTotal netTotalExclTax paymentTermsNet remainingPayment
		shippingDiscountTotal shippingSubTotal subTotal subTotalExclTax taxTotal total totalExclTax`),
	own(of(number, "version")),
	of(boolean, `
		ignorePromotions isNewCustomer isNotificationsDisabled isReadOnly isReadOnlyByCustomer`),
	of(textList, `
		customerGroups projectIds relatedOrders replacementOrderIds tags`),
	object("billingAddress", addressModel),
	object("contactPerson", contactPersonModel),
	must(object("orderForm", orderFormModel)),
	keyed("assets", assetModel, "assetId"),
	errorList(),
	externalIDs(),
	list("groups", groupModel),
	keyed("orderNotes", commentModel, "id"),
	keyed("properties", propertyModel, "key keyGroup"),
	keyed("publicOrderNotes", commentModel, "id"),
	must(keyed("returnOrderForms", returnFormModel, "returnId")),
	must(keyed("orderLines", orderLineModel, "lineItemId")), // another name of orderForm.lineItems
	object("shippingAddress", addressModel),
	patchControls(),
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
	must(keyed("lineItems", orderLineModel, "lineItemId")),
	payments(),
	keyed("properties", propertyModel, "key keyGroup"),
	must(keyed("shipments", shipmentModel, "shipmentId")),
	patchControls(),
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
		isSerializableProduct isSkuAccessory isVirtualProduct reservedInventory
		updateStock`),
	of(textList, `
		gtins`),
	of(anyObject, "orderLineBonusPoints"),
	of(anyList, "components"),
	externalIDs(),
	of(anyList, "orderLineDiscounts"),
	keyed("properties", propertyModel, "key keyGroup"),
	patchControls(),
)

// shipmentModel is one shipment.
var shipmentModel = newModel(
	of(text, `
		comment completed deliveryStatus expectedDeliveryDate expectedShipmentDate goodsDescription
		pickUpWarehouseCode returnLabelLink returnTrackingLink returnTrackingNumber servicePointId
		shipmentId shipmentLabelLink shipmentTrackingLink shipmentTrackingNumber shippingLabel shippingMethodId
		shippingMethodName shippingMethodProductId virtualWarehouseCode warehouseCode`),
	statusNames("orderStatus prevStatus status"),
	of(number, `
		shipmentTaxRate shippingCreditedTotal shippingDiscountAmount shippingSubTotal shippingSubTotalExclTax
		shippingTax shippingTotal subTotal taxTotal total`),
	of(boolean, `
		isAllocated transit`),
	object("address", addressModel),
	object("contactPerson", contactPersonModel),
	of(anyObject, "pickUpPointInformation"),
	list("discounts", discountModel),
	externalIDs(),
	must(keyed("lineItems", orderLineModel, "lineItemId")),
	of(anyList, "orderStatusLog"),
	of(anyList, "packages"),
	keyed("properties", propertyModel, "key keyGroup"),
	patchControls(),
)

// returnFormModel is one return of an order.
var returnFormModel = newModel(
	of(text, `
		cartId cartName created modified purchaseOrderId returnComment returnId returnType rmaNumber storeId
		userId`),
	statusNames("status"),
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
	errorList(),
	externalIDs(),
	must(keyed("lineItems", orderLineModel, "lineItemId")),
	payments(),
	keyed("properties", propertyModel, "key keyGroup"),
	list("returnCharges", chargeModel),
	must(keyed("shipments", shipmentModel, "shipmentId")),
	patchControls(),
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
	externalIDs(),
	of(anyList, "orderLineReferences"),
	keyed("properties", propertyModel, "key keyGroup"),
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
	keyed("properties", propertyModel, "key keyGroup"),
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
	externalIDs(),
	keyed("properties", propertyModel, "key keyGroup"),
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

// patchControls are the fields that say how a patch is applied. They stand in
// every object that has lists or properties of its own.
func patchControls() modelPart {
	return controls(of(boolean, "keepExistingCustomProperties keepExistingListItems keepExistingOrderLines"),
		of(textList, "forceUpdate"), list("propertiesRemovalConditions", propertyModel))
}

// externalIDs is the list of an order's names in other systems. Two of them are
// the same only with provider and id.
func externalIDs() modelPart {
	return with(func(f *field) { f.replaceable = true }, keyed("externalIds", externalIDModel, "providerName id"))
}

// errorList is the list of errors, which have no key: one is found by all that
// it holds but its status and comment, which whoever solves it changes.
func errorList() modelPart {
	return with(func(f *field) {
		f.must, f.appended, f.replaceable = true, true, true
		f.labels, f.beside = []string{"key", "runId"}, []string{"status", "comment"}
	}, list("errors", entityErrorModel))
}

// payments is the list of payments. A payment's key is its id, never its
// paymentId, which counts the payments of an order.
func payments() modelPart {
	return with(func(f *field) { f.zeroIsNone = true }, keyed("payments", paymentModel, "id"))
}
