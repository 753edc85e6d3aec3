// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPull} from "./interfaces/IPull.sol";

/// @title Pull payments. Only `withdrawFor` and `_burn` send ether to the outside.
/// @dev Invariant: _totalCredit == sum of credit over all accounts.
abstract contract Pull is IPull {
    mapping(address => uint256) public credit;
    uint256 internal _totalCredit;

    function withdraw() external {
        withdrawFor(payable(msg.sender));
    }

    function withdrawFor(address payable account) public {
        uint256 amount = credit[account];
        if (amount == 0) revert NothingToWithdraw(account);
        credit[account] = 0;
        _totalCredit -= amount;
        emit Withdrawn(account, amount);
        (bool sent,) = account.call{value: amount}("");
        if (!sent) revert TransferFailed(account);
    }

    function _credit(address account, uint256 amount) internal {
        if (amount == 0) return;
        credit[account] += amount;
        _totalCredit += amount;
        emit Credited(account, amount);
    }

    /// @dev To the zero address, which has neither code nor key.
    function _burn(uint256 amount) internal {
        if (amount == 0) return;
        emit Burned(amount);
        (bool sent,) = address(0).call{value: amount}("");
        assert(sent);
    }
}
