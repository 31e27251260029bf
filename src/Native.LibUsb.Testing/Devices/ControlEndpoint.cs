namespace Native.LibUsb.Testing;

/// <summary>Represents endpoint 0: hands each request to its device.</summary>
internal sealed class ControlEndpoint() : VirtualEndpoint(0)
{
    protected override void OnSubmit(VirtualUrb urb) => Device.HandleControl(urb);
}
