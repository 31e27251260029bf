namespace Native.LibUsb.Tests;

/// <summary>Lists the reasons why a scenario cannot run on a real kernel's vhci_hcd.</summary>
internal static class KernelLimits
{
    public const string Capabilities = "the kernel decides what usbfs can do, and its vhci_hcd takes every transfer whole";
    public const string Streams = "the kernel's vhci_hcd has no bulk streams";
    public const string Hubs = "the kernel's vhci_hcd has no hubs behind its own; the tests of QEMU's hub replace this one";
    public const string SuperSpeedPlus = "the kernel's vhci_hcd has no ports faster than SuperSpeed";
    public const string Permission = "root may open every node; the test of a thread without that right replaces this one";
    public const string InconsistentDescriptors = "the kernel corrects inconsistent descriptors or refuses the device";
    public const string Resets = "USB/IP has no message for a reset, so no other device can appear after a reset";
    public const string Drivers = "the kernel chooses the drivers itself, by the class of an interface, and tests do not load them";
    public const string Opens = "the test cannot count how often a node of the kernel is opened";
    public const string Faults = "the kernel decides about submissions itself, and does not report to USB/IP which URBs belong together";
    public const string Times = "the kernel does not send the time of a submission to a device";
    public const string Storms = "the library of the virtual bus has the handler of the signals, and the kernel's devices need none";
    public const string Descriptors = "the kernel drops descriptors that do not fit before libusb reads them";
}
