namespace Native.LibUsb.Testing;

// This part of the class answers control requests. It answers standard requests from the descriptors, and passes other requests to the model or the test.
public partial class VirtualDevice
{
    /// <summary>Handles a control transfer. The caller holds the lock.</summary>
    internal void HandleControl(VirtualUrb urb)
    {
        SetupPacket setup = urb.Setup;
        if (setup.Type == 0 && AnswerStandard(urb, setup))
            return;
        if (!OnControlRequest(urb) && urb.IsInFlight)
            urb.Stall();
    }

    private bool AnswerStandard(VirtualUrb urb, SetupPacket setup)
    {
        switch ((setup.RequestType, setup.Request))
        {
            case (0x80, 0): // GET_STATUS
                urb.CompleteWith([(byte)(ActiveConfiguration?.SelfPowered == true ? 1 : 0), 0]);
                return true;
            case (0x81, 0):
                urb.CompleteWith([0, 0]);
                return true;
            case (0x82, 0):
                if (Find((byte)setup.Index) is not { } asked)
                    return false;
                urb.CompleteWith([(byte)(asked.IsHalted ? 1 : 0), 0]);
                return true;
            case (0x00, 1 or 3): // CLEAR_FEATURE, SET_FEATURE: remote wakeup, U1, U2, LTM
            case (0x01, 1 or 3):
                urb.Accept();
                return true;
            case (0x02, 1 or 3):
                if (setup.Value != 0 || Find((byte)setup.Index) is not { } endpoint || endpoint.Address == 0)
                    return false;
                if (setup.Request == 3)
                    endpoint.Halt();
                else
                    endpoint.ClearHalt();
                urb.Accept();
                return true;
            case (0x00, 5): // SET_ADDRESS
            case (0x00, 48): // SET_SEL
            case (0x00, 49): // SET_ISOCH_DELAY
                urb.Accept();
                return true;
            case (0x80, 6): // GET_DESCRIPTOR
                if (Bus?.HidesResets == true && setup is { Value: 0x0100, Length: 8 or 64 })
                    NoticeEnumeration();
                byte[]? descriptor = Descriptor(setup.Value >> 8, (byte)setup.Value, setup.Index);
                if (descriptor is null)
                    return false;
                urb.CompleteWith(descriptor);
                return true;
            case (0x80, 8): // GET_CONFIGURATION
                urb.CompleteWith([Configuration]);
                return true;
            case (0x00, 9): // SET_CONFIGURATION
                _isEnumerated = true;
                if (!SelectConfiguration(setup.Value & 255))
                    return false;
                urb.Accept();
                return true;
            case (0x81, 10): // GET_INTERFACE
                if (FindInterface(setup.Index) is null)
                    return false;
                urb.CompleteWith([_alternates[setup.Index]]);
                return true;
            case (0x01, 11): // SET_INTERFACE
                if (!SelectAlternate(setup.Index, setup.Value))
                    return false;
                urb.Accept();
                return true;
            case (0x82, 12): // SYNCH_FRAME
                urb.CompleteWith([0, 0]);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Handles a request for the first bytes of the device descriptor. Right after a reset, the host sends this request one or more times to get the
    /// packet size of endpoint 0. If the host has already enumerated the device, the method counts the first of these requests as a reset.</summary>
    private void NoticeEnumeration()
    {
        if (_isEnumerated)
            Resets++;
        _isEnumerated = false;
    }

    private byte[]? Descriptor(int type, byte index, ushort language) => type switch
    {
        1 when index == 0 => _deviceDescriptor,
        2 when index < _configurations.Length => _configurations[index],
        3 => _strings.Descriptor(index, language),
        15 when index == 0 => _bos,
        _ => null,
    };

    /// <summary>Represents endpoint 0, which receives the control requests of the device.</summary>
    private sealed class RequestEndpoint() : VirtualEndpoint(0)
    {
        protected override void OnSubmit(VirtualUrb urb) => Device.HandleControl(urb);
    }
}
