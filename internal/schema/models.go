package schema

// The models below are the fields an order is known to carry, with their
// types. They give a known field its spelling (LINEITEMS becomes lineItems) at
// the place where the model has it, say how a patch merges a list, and let a
// value of another shape be named with its path. Fields beyond them are as
// welcome, and stored as they come.

// Order is an order, a cart, and a patch of either. A cart has the fields of the order that
// is made of it.
var Order = newModel(
	of(Text, `
		billingCurrency completed customerClubMemberId customerContact customerEmail customerId customerName
		customerNumber customerPhone customerPickupDeadline customerReference customerRequisition customerType dueDate
		expiredDate followUpDate id invoiceComment marketId modified modifiedBy nextOrderStatus orderNumber
		orderOrigin orderStatus paymentType projectId readyForPickup received requestedDeliveryDate
		salesChannel salesPersonId salesPersonName secretKey session storeId storePickDate subscriptionId
		updateStatusDate versionId`),
	must(of(Text, "created orderType")),
	statusNames("status"),
	of(Number, `
		discountTotalIncVat lineItemsCost netTotal netTotalExclTax paymentTermsNet remainingPayment
		shippingDiscountTotal shippingSubTotal subTotal subTotalExclTax taxTotal total totalExclTax`),
	own(of(Number, "version")),
	of(boolean, `
		ignorePromotions isNewCustomer isNotificationsDisabled isReadOnly isReadOnlyByCustomer`),
	of(TextList, `
		customerGroups projectIds relatedOrders replacementOrderIds tags`),
	object("billingAddress", Address),
	object("contactPerson", contactPersonModel),
	must(object("orderForm", OrderForm)),
	keyed("assets", assetModel, "assetId"),
	errorList(),
	externalIDs(),
	list("groups", groupModel),
	keyed("orderNotes", commentModel, "id"),
	keyed("properties", Property, "key keyGroup"),
	keyed("publicOrderNotes", commentModel, "id"),
	must(keyed("returnOrderForms", returnFormModel, "returnId")),
	must(keyed("orderLines", orderLineModel, "lineItemId")), // another name of orderForm.lineItems
	object("shippingAddress", Address),
	patchControls(),
)

// OrderForm is the lines, shipments and payments of an order.
var OrderForm = newModel(
	of(Text, `
		cartId cartName purchaseOrderId`),
	of(Number, `
		authorizedPaymentTotal capturedPaymentTotal chargeShipmentCostAmount creditPaymentTotal creditShipmentAmount
		discountAmount grossRoundoff handlingTotal orderLevelTax shippingCreditedTotal shippingDiscountTotal
		shippingSubTotal shippingSubTotalExclTax shippingTotal subTotal subTotalExclTax taxTotal total totalExclTax`),
	of(boolean, `
		fullRefund isPriority`),
	of(TextList, `
		couponCodes`),
	list("charges", chargeModel),
	list("discounts", discountModel),
	must(keyed("lineItems", orderLineModel, "lineItemId")),
	payments(),
	keyed("properties", Property, "key keyGroup"),
	must(keyed("shipments", Shipment, "shipmentId")),
	patchControls(),
)

// orderLineModel is one line. Shipments and returns have lines of the same kind.
var orderLineModel = newModel(
	of(Text, `
		alternativeProductName brand campaignId cancelComment cancelReason canceledDate code color comment
		customerPickupDeadline deliveredDate discountReasonCode displayName ean expectedDeliveryDate groupId imageUrl
		internalWarehouseLocation lineItemId modifiedReason packageLineItemId packageSkuId priceListId priceListItemId
		productId productType readyForPickupDate replacedDate replacementReason replacementType requestedDeliveryDate
		reservedInventoryDeliveryId reservedInventoryPurchaseOrderId reservedInventoryPurchaseOrderLineId returnDate
		returnReason returnType selectedUnit serialNumber size storePickDate supplierId supplierName supplierSkuId
		unit webSiteProductUrl`),
	of(Number, `
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
	of(TextList, `
		gtins`),
	of(anyObject, "orderLineBonusPoints"),
	of(AnyList, "components"),
	externalIDs(),
	of(AnyList, "orderLineDiscounts"),
	keyed("properties", Property, "key keyGroup"),
	patchControls(),
)

// Shipment is one shipment. The engine reads its id, its statuses and its lines; all else
// is for others to read.
var Shipment = newModel(
	of(Text, `
		comment completed deliveryStatus expectedDeliveryDate expectedShipmentDate goodsDescription
		pickUpWarehouseCode returnLabelLink returnTrackingLink returnTrackingNumber servicePointId
		shipmentId shipmentLabelLink shipmentTrackingLink shipmentTrackingNumber shippingLabel shippingMethodId
		shippingMethodName shippingMethodProductId virtualWarehouseCode warehouseCode`),
	statusNames("orderStatus prevStatus status"),
	of(Number, `
		shipmentTaxRate shippingCreditedTotal shippingDiscountAmount shippingSubTotal shippingSubTotalExclTax
		shippingTax shippingTotal subTotal taxTotal total`),
	of(boolean, `
		isAllocated transit`),
	object("address", Address),
	object("contactPerson", contactPersonModel),
	of(anyObject, "pickUpPointInformation"),
	list("discounts", discountModel),
	externalIDs(),
	must(keyed("lineItems", orderLineModel, "lineItemId")),
	of(AnyList, "orderStatusLog"),
	of(AnyList, "packages"),
	keyed("properties", Property, "key keyGroup"),
	patchControls(),
)

// returnFormModel is one return of an order. docs/contract.md#returns says what the engine
// does with it.
var returnFormModel = newModel(
	of(Text, `
		cartId cartName created modified purchaseOrderId returnComment returnId returnType rmaNumber storeId
		userId`),
	statusNames("prevStatus status"),
	of(Number, `
		authorizedPaymentTotal capturedPaymentTotal chargeShipmentCostAmount creditAmount creditPaymentTotal
		creditShipmentAmount discountAmount grossRoundoff handlingTotal orderLevelTax shippingCreditedTotal
		shippingDiscountTotal shippingSubTotal shippingSubTotalExclTax shippingTotal subTotal subTotalExclTax taxTotal
		total totalExclTax`),
	of(boolean, `
		creditPayment fullRefund isPriority replaceLineItemsArray shouldAddMissingLineItems`),
	of(TextList, `
		couponCodes replacementOrderIds sentNotificationIds`),
	of(anyObject, "claim"),
	list("charges", chargeModel),
	list("discounts", discountModel),
	errorList(),
	externalIDs(),
	must(keyed("lineItems", orderLineModel, "lineItemId")),
	payments(),
	keyed("properties", Property, "key keyGroup"),
	list("returnCharges", chargeModel),
	must(keyed("shipments", Shipment, "shipmentId")),
	patchControls(),
)

// paymentModel is one payment.
var paymentModel = newModel(
	of(Text, `
		authorizationCode authorizationExpires comment created customerName id implementationClass internalReference
		invoiceId paidDate paymentMethodId paymentMethodName paymentType reason shipmentId status storeId
		transactionId transactionType validationCode`),
	of(Number, `
		amount paymentId`),
	of(boolean, `
		isManuallyAdded`),
	externalIDs(),
	of(AnyList, "orderLineReferences"),
	keyed("properties", Property, "key keyGroup"),
)

// Address is a postal address.
var Address = newModel(
	of(Text, `
		apartmentNumber city countryCode countryName daytimePhoneNumber email eveningPhoneNumber externalId firstName
		lastName line1 line2 name organization organizationalNumber phone postalCode regionCode regionName state
		streetNumber`),
)

// Property is one custom property. Lines, shipments, payments and files have properties as
// the order has.
var Property = newModel(
	of(Text, `
		key keyGroup value valueType`),
)

// commentModel is one note.
var commentModel = newModel(
	of(Text, `
		created creator customerId deliveryMethod detail emailFromAddress emailFromName emailRecipient emailSubject id
		lineItemId objectId objectType parentId smsFrom smsRecipient title type userId`),
	of(boolean, `
		sendNotification`),
	of(TextList, `
		tags`),
	list("attachments", assetModel),
)

// externalIDModel names the order in another system.
var externalIDModel = newModel(
	of(Text, `
		id providerName`),
)

// assetModel is one file.
var assetModel = newModel(
	of(Text, `
		altText assetId assetType contentType created description externalUrl fileName modified name parentId purpose
		url`),
	of(Number, `
		length sortOrder`),
	of(boolean, `
		forceUpload isMainImage`),
	keyed("properties", Property, "key keyGroup"),
)

// entityErrorModel is one error shown on an order. docs/contract.md#order-errors says what
// its fields mean.
var entityErrorModel = newModel(
	of(Text, `
		comment details displayName key message occurred referenceId runId severity status`),
)

// discountModel is one discount.
var discountModel = newModel(
	of(Text, `
		discountCode discountId discountName discountSource discountType rewardType`),
	of(Number, `
		discountAmount discountValue maxDiscountAmount priority`),
	of(boolean, `
		alwaysApply canBeCombinedWithOtherPromotions isBonusPointsReward`),
	of(TextList, `
		skuIds`),
	of(anyObject, "promotionFixedPriceReward"),
	of(anyObject, "promotionMultiBuyReward"),
)

// contactPersonModel is a person to ask.
var contactPersonModel = newModel(
	of(Text, `
		email firstName id lastName phone privateCustomerId role`),
	of(boolean, `
		isPrimaryContact notify`),
	of(TextList, `
		roles`),
	of(anyObject, "address"),
	externalIDs(),
	keyed("properties", Property, "key keyGroup"),
)

// groupModel is one order group.
var groupModel = newModel(
	of(Text, `
		description id name`),
)

// chargeModel is one charge.
var chargeModel = newModel(
	of(Text, `
		key`),
	of(Number, `
		amount`),
)

// patchControls are the fields that say how a patch is applied. They stand in
// every object that has lists or properties of its own. docs/contract.md#patches says what
// each of them does.
func patchControls() modelPart {
	return controls(of(boolean, "keepExistingCustomProperties keepExistingListItems keepExistingOrderLines"),
		of(TextList, "forceUpdate"), list("propertiesRemovalConditions", Property))
}

// externalIDs is the list of an order's names in other systems. Two of them are
// the same only with provider and id. The same number may be an id in two systems.
func externalIDs() modelPart {
	return with(func(f *Field) { f.Replaceable = true }, keyed("externalIds", externalIDModel, "providerName id"))
}

// errorList is the list of errors, which have no key: one is found by all that
// it holds but its status and comment, which whoever solves it changes.
func errorList() modelPart {
	return with(func(f *Field) {
		f.must, f.Appended, f.Replaceable = true, true, true
		f.Labels, f.Beside = []string{"key", "runId"}, []string{"status", "comment"}
	}, list("errors", entityErrorModel))
}

// payments is the list of payments. A payment's key is its id, never its
// paymentId, which counts the payments of an order.
func payments() modelPart {
	return with(func(f *Field) { f.zeroIsNone = true }, keyed("payments", paymentModel, "id"))
}
